using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Skein;

/// <summary>A client's connection while it lasts: the calls that are out on it, and what is said.</summary>
sealed class ObjectLink : IAsyncDisposable
{
    readonly Stream _stream;
    readonly EndPoint _endpoint;
    readonly PipeReader _input;
    readonly FrameOutput _output;
    readonly int _maxMessage;
    readonly ConcurrentDictionary<uint, PendingCall> _calls = new();
    readonly Dictionary<ObjectInterface, int> _bound = [];
    readonly Lock _sending = new();
    readonly GraphSession _session = new(withPaths: false);
    readonly GraphReader _reader;
    Task _reading = Task.CompletedTask;
    uint _last;
    volatile ServerLostException? _lost;

    ObjectLink(Stream stream, PipeReader input, PipeWriter output, EndPoint endpoint, ObjectClientOptions options)
    {
        (_stream, _input, _endpoint, _maxMessage) = (stream, input, endpoint, options.MaxMessage);
        _output = new(output, options.MaxMessage, $"{nameof(ObjectClientOptions)}.{nameof(options.MaxMessage)} here, and the server's");
        _reader = new(_session);
    }

    public bool IsUsable => _lost is null;

    public static async Task<ObjectLink> ConnectAsync(EndPoint endpoint, ObjectClientOptions options, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.ConnectTimeout);
        Stream? stream = null;
        try
        {
            stream = await OpenAsync(endpoint, options, limit.Token).ConfigureAwait(false);
            var transport = new Transport(PipeReader.Create(stream), PipeWriter.Create(stream));
            await Handshake.ConnectAsync(transport, options.Secret).WaitAsync(limit.Token).ConfigureAwait(false);
            var link = new ObjectLink(stream, transport.Input, transport.Output, endpoint, options);
            link._reading = Task.Run(link.ReadAsync, CancellationToken.None);
            stream = null;
            return link;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ServerLostException($"{endpoint}: nobody has answered for {options.ConnectTimeout.TotalSeconds:0.#} s.");
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw new ServerLostException($"{endpoint}: {error.Message}", error);
        }
        finally
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    static async Task<Stream> OpenAsync(EndPoint endpoint, ObjectClientOptions options, CancellationToken cancellation)
    {
        var socket = endpoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(endpoint, cancellation).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls is { } tls)
            {
                var secured = new SslStream(stream);
                stream = secured;
                await secured.AuthenticateAsClientAsync(tls, cancellation).ConfigureAwait(false);
            }

            return stream;
        }
        catch
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="CannotTravelException">An argument belongs to this process. Nothing was sent.</exception>
    public void Send(PendingCall call, ObjectInterface described, int method, string name, object?[] arguments)
    {
        var cancellation = described.Methods[method].TokenIn(arguments);
        if (cancellation.IsCancellationRequested)
        {
            call.Cancel(cancellation);
            return;
        }

        uint number;
        lock (_sending)
        {
            number = ++_last;
            if (!_bound.TryGetValue(described, out var bound))
                bound = Bind(described);
            _calls[number] = call;
            try
            {
                _output.Send(
                    ObjectFrameKind.Call,
                    number,
                    (bound, described, method, name, arguments),
                    static (writer, state) =>
                    {
                        writer.WriteNumber((uint)state.bound);
                        writer.WriteNumber((uint)state.method);
                        writer.WriteText(state.name);
                        state.described.Methods[state.method].WriteArguments(writer, state.arguments);
                    });
            }
            catch
            {
                _calls.TryRemove(number, out _);
                throw;
            }
        }

        if (cancellation.CanBeCanceled)
            call.CancelWith(() => Forget(number), cancellation);
        if (_lost is { } lost)   // it came between
            Fail(number, lost);
    }

    int Bind(ObjectInterface described)
    {
        _output.Send(
            ObjectFrameKind.Bind,
            0,
            described,
            static (writer, one) =>
            {
                writer.WriteText(one.Name);
                writer.WriteNumber((uint)one.Methods.Count);
                foreach (var method in one.Methods)
                    writer.WriteText(method.Signature);
            });
        return _bound[described] = _bound.Count;
    }

    void Forget(uint number)
    {
        if (_calls.TryRemove(number, out _))
            _output.Send(ObjectFrameKind.Cancel, number, 0, static (_, _) => { });
    }

    async Task ReadAsync()
    {
        Exception? fault = null;
        try
        {
            await ObjectFrame.ReadAllAsync(_input, _maxMessage, frame =>
            {
                Take(frame);
                return default;
            }).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            fault = error;
        }

        _lost = new($"{_endpoint}: the connection to the server has ended{(fault is null ? "" : $" ({fault.Message})")}. Whether the call was made is not known.", fault);
        foreach (var number in _calls.Keys)
            Fail(number, _lost);
    }

    void Take(ObjectFrame frame)
    {
        if (!_calls.TryRemove(frame.Number, out var call))
            return;   // it was cancelled
        try
        {
            _session.Reset();
            _reader.Begin(frame.Body.Array!, frame.Body.Offset, frame.Body.Count);
            if (frame.Kind == ObjectFrameKind.Result)
                call.Complete(_reader);
            else
                call.Fail(ReadFault());
        }
        catch (Exception error)   // the next frame is read whatever this one was
        {
            call.Fail(error);
        }
    }

    Exception ReadFault()
    {
        var kind = (ObjectFault)_reader.ReadByte();
        if (kind == ObjectFault.Thrown)
            return _reader.Read<FaultRecord>().ToException();
        var text = _reader.ReadText();
        return kind switch
        {
            ObjectFault.UnknownObject => new UnknownObjectException(text),
            ObjectFault.UnknownMethod => new UnknownMethodException(text),
            ObjectFault.RefusedType => new RefusedTypeException(text),
            ObjectFault.Canceled => new OperationCanceledException(text),
            ObjectFault.Stopping => new ServerLostException(text),
            _ => new InvalidDataException($"The server says {(byte)kind}, which this client does not know: {text}"),
        };
    }

    void Fail(uint number, Exception error)
    {
        if (_calls.TryRemove(number, out var call))
            call.Fail(error);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
