using System.Runtime.Versioning;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Skein;

/// <summary>
/// Makes the host of a program that asks for <see cref="ServerModel.Prefork"/> the master of its workers: another server in Kestrel's place,
/// and none of the application's own work, which its workers do.
/// </summary>
[SupportedOSPlatform("linux")]
static class PreforkHost
{
    static readonly Lazy<bool> Watching = new(() =>
    {
        ApplicationWork.IsElsewhere = true;
        HostBuilding.Watch(Change);
        return true;
    });

    public static void Watch() => _ = Watching.Value;

    static void Change(IServiceCollection services)
    {
        if (services.LastOrDefault(service => service.ImplementationInstance is ChosenModel)?.ImplementationInstance is not ChosenModel { Workers: { } workers } chosen)
            return;
        ApplicationWork.Remove(services);
        services.RemoveAll<IServer>();
        services.AddSingleton<IServer>(provider => ActivatorUtilities.CreateInstance<PreforkServer>(provider, workers, chosen.Options));
    }
}
