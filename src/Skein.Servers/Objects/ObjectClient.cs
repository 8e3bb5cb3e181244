using System.Net;
using System.Security.Authentication;

namespace Skein;

/// <summary>Calls objects of an <see cref="ObjectServer"/> through their interfaces. For any number of threads at once.</summary>
/// <example>
/// <code>
/// await using var client = await ObjectClient.ConnectAsync(endpoint, new() { Secret = secret });
/// IAccount alice = client.Get&lt;IAccount&gt;("alice");
/// await alice.Deposit(10);
/// </code>
/// </example>
public sealed class ObjectClient : IAsyncDisposable
{
    readonly EndPoint _endpoint;
    readonly ObjectClientOptions _options;
    readonly SemaphoreSlim _connecting = new(1);
    volatile ObjectLink? _link;
    bool _isDisposed;

    ObjectClient(EndPoint endpoint, ObjectClientOptions options) => (_endpoint, _options) = (endpoint, options);

    /// <summary>Connects to a server.</summary>
    /// <param name="endpoint">An <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/> or a Unix socket.</param>
    /// <param name="options">Secret, TLS, limits.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServerLostException">It cannot be reached.</exception>
    /// <exception cref="AuthenticationException">The two do not know the same secret, or TLS failed.</exception>
    public static async Task<ObjectClient> ConnectAsync(EndPoint endpoint, ObjectClientOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var client = new ObjectClient(endpoint, (options ?? new()).Checked());
        client._link = await ObjectLink.ConnectAsync(endpoint, client._options, cancellation).ConfigureAwait(false);
        return client;
    }

    /// <summary>
    /// A stand-in for an object at the server, which is created there on its first call. Nothing is sent by this. When the connection has
    /// broken, the next call connects anew.
    /// </summary>
    /// <param name="name">Which of the objects with this interface.</param>
    /// <remarks>
    /// A synchronous method blocks its thread until the answer is there. A <see cref="CancellationToken"/> that is passed is cancelled at
    /// the server, too. The methods fail with what the object threw, or <see cref="UnknownObjectException"/>,
    /// <see cref="UnknownMethodException"/>, <see cref="CannotTravelException"/>, <see cref="RefusedTypeException"/> and
    /// <see cref="ServerLostException"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">It is no interface, or one of its methods cannot be called from elsewhere.</exception>
    public T Get<T>(string name)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(name);
        return ObjectProxy.Create<T>(this, ObjectInterface.Of(typeof(T)), name);
    }

    internal object? Call(ObjectInterface described, int number, string name, object?[] arguments)
    {
        var method = described.Methods[number];
        var call = method.Returns.NewCall();
        if (_link is { IsUsable: true } link)
            Send(link);
        else
            _ = ReconnectAsync();
        return method.Returns.Give(call);

        void Send(ObjectLink on)
        {
            try
            {
                on.Send(call, described, number, name, arguments);
            }
            catch (Exception refused)
            {
                call.Fail(refused);
            }
        }

        async Task ReconnectAsync()
        {
            try
            {
                Send(await LinkAsync(method.TokenIn(arguments)).ConfigureAwait(false));
            }
            catch (Exception error)
            {
                call.Fail(error);
            }
        }
    }

    async Task<ObjectLink> LinkAsync(CancellationToken cancellation)
    {
        await _connecting.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_link is { IsUsable: true } link)
                return link;
            if (_link is { } broken)
                await broken.DisposeAsync().ConfigureAwait(false);
            return _link = await ObjectLink.ConnectAsync(_endpoint, _options, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Ends the connection. Calls that are out fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await _connecting.WaitAsync().ConfigureAwait(false);
        _isDisposed = true;
        _connecting.Release();
        if (_link is { } link)
            await link.DisposeAsync().ConfigureAwait(false);
    }
}
