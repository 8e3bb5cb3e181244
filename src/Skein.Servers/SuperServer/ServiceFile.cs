namespace Skein;

/// <summary>What a file says of services.</summary>
/// <param name="Services">Those without a fault.</param>
/// <param name="Errors">What is wrong; a super-server is not started with any of it.</param>
public sealed record ServiceFile(IReadOnlyList<Service> Services, IReadOnlyList<ServiceFileError> Errors);

/// <summary>What is wrong in a file, and where.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Message">What was found, and what was expected.</param>
public sealed record ServiceFileError(string File, int Line, string Message)
{
    /// <summary>As compilers write it: <c>FILE:LINE: message</c>.</summary>
    public override string ToString() => $"{File}:{Line}: {Message}";
}
