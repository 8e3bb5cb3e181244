using System.Runtime.Versioning;

namespace Skein;

/// <summary>What a file says of services.</summary>
/// <param name="Services">Those without a fault.</param>
/// <param name="Errors">What is wrong; a super-server is not started with any of it.</param>
public sealed record ServiceFile(IReadOnlyList<Service> Services, IReadOnlyList<ServiceFileError> Errors)
{
    /// <summary>What keeps no super-server from being started, and some clients from being served: programs that are not there, or cannot be executed.</summary>
    public IReadOnlyList<ServiceFileError> Warnings { get; init; } = [];

    /// <summary>Adds what is wrong with the services, each of which comes from a line; what is wrong with several of one line is said once.</summary>
    [SupportedOSPlatform("linux")]
    internal static ServiceFile Checked(string path, IReadOnlyList<(Service Service, int Line, string Subject)> read, IEnumerable<ServiceFileError> errors)
    {
        Service[] services = [.. read.Select(one => one.Service)];
        var missing = read.ToLookup(one => one.Service.StartsAtOnce, one => Said(one.Service, ServiceProgram.WhyMissing(one.Service)));
        var problems = SuperServer.Check(services).Select(problem => Said(problem.Service, problem.Message));
        return new(services, InOrder(errors.Concat(problems).Concat(missing[true])))   // its program is started with the super-server
        {
            Warnings = InOrder(missing[false].Select(one => one is null ? null : one with { Message = $"warning: {one.Message}" })),
        };

        ServiceFileError? Said(Service service, string? message)
        {
            var (_, line, subject) = read.First(one => ReferenceEquals(one.Service, service));
            return message is null ? null : new(path, line, subject + message);
        }

        static ServiceFileError[] InOrder(IEnumerable<ServiceFileError?> all) => [.. all.OfType<ServiceFileError>().Distinct().OrderBy(one => one.Line)];
    }
}

/// <summary>What is said of a file, and where.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Message">What was found, and what was expected.</param>
public sealed record ServiceFileError(string File, int Line, string Message)
{
    /// <summary>As compilers write it: <c>FILE:LINE: message</c>.</summary>
    public override string ToString() => $"{File}:{Line}: {Message}";
}
