using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Lets the requests of an application that knows nothing of Skein be cancelled by their names. Requests without a name, nearly all, go
/// straight on.
/// </summary>
sealed class CancelFilter(NamedRequests named, ILoggerFactory logging) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        var logger = logging.CreateLogger("Skein.Http");
        app.Use(following =>
        {
            var interruption = new RequestInterruption(following, named, new(), TimeProvider.System, logger);
            return context => RequestInterruption.Concerns(context.Request) ? interruption.InvokeAsync(context) : following(context);
        });
        next(app);
    };
}
