using System.Runtime.Versioning;

namespace Skein;

/// <summary>A service that cannot be started as it is described.</summary>
/// <param name="Message">What is wrong, and what was expected.</param>
public sealed record ServiceProblem(Service Service, string Message);

/// <summary>What can be said of services before any is started.</summary>
[SupportedOSPlatform("linux")]
static class ServiceCheck
{
    public static IEnumerable<ServiceProblem> Problems(IReadOnlyList<Service> services)
    {
        var (names, endpoints) = (new HashSet<string>(), new Dictionary<string, Service>());
        foreach (var service in services)
        {
            if (!names.Add(service.Name))
                yield return new(service, $"There is another service '{service.Name}'; each has a name of its own.");
            if (!IsFreePort(service) && !endpoints.TryAdd($"{service.Endpoint}", service))
                yield return new(service, $"Service '{endpoints[$"{service.Endpoint}"].Name}' listens on {service.Endpoint}, too.");
            foreach (var problem in Problems(service))
                yield return new(service, problem);
            foreach (var name in service.After)
            {
                if (services.All(other => other.Name != name))
                    yield return new(service, $"It comes after '{name}', but there is no such service.");
            }
        }

        foreach (var service in services)
        {
            if (Follows(services, service, service, []))
                yield return new(service, "It comes after itself: of services that wait for each other none can be first.");
        }
    }

    /// <summary>Each comes after those that it waits for, and otherwise in the order in which they are listed.</summary>
    public static IReadOnlyList<Service> InOrder(IReadOnlyList<Service> services)
    {
        var ordered = new List<Service>();
        foreach (var service in services)
            Add(service);
        return ordered;

        void Add(Service service)
        {
            if (ordered.Contains(service))
                return;
            foreach (var before in services.Where(other => service.After.Contains(other.Name)))
                Add(before);
            ordered.Add(service);
        }
    }

    public static bool IsFreePort(Service service) => service.Endpoint.Address is System.Net.IPEndPoint { Port: 0 };

    static IEnumerable<string> Problems(Service service)
    {
        var limits = service.Limits;
        if (service.File is null)
        {
            if (service.Waits || service.StartsAtOnce || service.Notifies)
                yield return "Only a program can be handed the socket.";
            if (service.User is not null || service.Group is not null)
                yield return "Only a program can run as another user.";
            if (limits.Processors is not null || limits.ProcessorTime is not null || limits.Processes is not null)
                yield return "Limits of processors, processor time and processes are for programs.";
        }
        else
        {
            if (service.Place != Place.OsProcess)
                yield return $"A program runs in Place.OsProcess, not in Place.{service.Place}.";
            if (WhyNoUser(service) is { } reason)
                yield return reason;
            if (service.WorkingDirectory is { } folder && !Directory.Exists(folder))
                yield return $"There is no folder '{folder}' for the program to begin in.";
        }

        if (service is { StartsAtOnce: true, Waits: false })
            yield return "Only a program that waits for who comes can be started at once.";
        if (service is { Notifies: true, StartsAtOnce: false })
            yield return "Only a program that is started at once can say when it is ready.";
        if (service is { Function: not null, IsStream: false })
            yield return "A handler serves connections, not datagrams.";
        if (service.Workers < 1 || service.ConnectionsPerWorker is < 1 or > 200)
            yield return "A handler has at least 1 worker, and each of them 1 to 200 connections.";
        if (service is { Function: not null, Limits.Memory: not null } && service.Place == Place.Thread)
            yield return "A thread cannot be held to a limit of memory.";
        if (limits.IdleTimeout is not null && (!service.IsStreamOfConnections || (service is { File: not null, Endpoint.Address: not System.Net.IPEndPoint })))
            yield return "The idle time of a program is known for TCP connections with a program each.";
        if (limits.InstancesPerSource < 1 || limits.Instances < 1 || limits.Processes < 1 || limits.Memory < 1 || limits.Processors <= 0 || limits.Failures < 0)
            yield return "A limit is at least 1.";
        if (limits.IdleTimeout <= TimeSpan.Zero || limits.WallTime <= TimeSpan.Zero || limits.Grace < TimeSpan.Zero || limits.ProcessorTime <= TimeSpan.Zero)
            yield return "A time is longer than 0.";
        if (limits.Rate is { } rate && !IsRate(rate) || limits.RatePerSource is { } ofSource && !IsRate(ofSource))
            yield return "A rate is at least 1 in a time longer than 0, with a pause of 0 or longer.";
    }

    static string? WhyNoUser(Service service)
    {
        try
        {
            ServiceProgram.UserOf(service);
            return null;
        }
        catch (ArgumentException error)
        {
            return error.Message;
        }
    }

    static bool IsRate(Rate rate) => rate.Count >= 1 && rate.Per > TimeSpan.Zero && rate.Pause >= TimeSpan.Zero;

    static bool Follows(IReadOnlyList<Service> services, Service service, Service wanted, HashSet<Service> seen) =>
        services.Where(other => service.After.Contains(other.Name)).Any(before => before == wanted || (seen.Add(before) && Follows(services, before, wanted, seen)));
}
