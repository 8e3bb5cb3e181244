using System.Runtime.Versioning;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// One Data Protection key ring for all workers and releases, where the application has not chosen one: else a cookie of one release is
/// unknown to the next, because the framework tells applications apart by their folders.
/// </summary>
[SupportedOSPlatform("linux")]
static class SharedKeys
{
    public static void Add(IServiceCollection services, string folder, string server)
    {
        services.AddOptions<KeyManagementOptions>().PostConfigure<ILoggerFactory>((options, logging) =>
            options.XmlRepository ??= new FileSystemXmlRepository(Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute), logging));
        services.AddOptions<DataProtectionOptions>().PostConfigure<IHostEnvironment>((options, environment) =>
        {
            // The framework's own choice ends with a slash or not, by its version.
            var chosen = options.ApplicationDiscriminator?.TrimEnd('/');
            if (string.IsNullOrEmpty(chosen) || chosen == environment.ContentRootPath.TrimEnd('/'))
                options.ApplicationDiscriminator = $"skein serve {server}";
        });
    }
}
