using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Skein.Tests.Servers;

/// <summary>A client that may say what no client says.</summary>
sealed class RawObjectClient : IAsyncDisposable
{
    readonly NetworkStream _stream;
    readonly PipeReader _input;
    readonly GraphWriter _writer = new(new(withPaths: false));
    uint _number;

    RawObjectClient(NetworkStream stream, PipeReader input) => (_stream, _input) = (stream, input);

    public static async Task<RawObjectClient> ConnectAsync(EndPoint endpoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(endpoint);
        var stream = new NetworkStream(socket, ownsSocket: true);
        var input = PipeReader.Create(stream);
        await Handshake.ConnectAsync(new Transport(input, PipeWriter.Create(stream)), null);
        return new(stream, input);
    }

    public void Bind(Type type) => Send(ObjectFrameKind.Bind, 0, writer =>
    {
        var described = ObjectInterface.Of(type);
        writer.WriteText(described.Name);
        writer.WriteNumber((uint)described.Methods.Count);
        foreach (var method in described.Methods)
            writer.WriteText(method.Signature);
    });

    public void Call(Type type, string method, string name, Action<GraphWriter> arguments) => Send(ObjectFrameKind.Call, ++_number, writer =>
    {
        var described = ObjectInterface.Of(type);
        writer.WriteNumber(0);
        writer.WriteNumber((uint)described.NumberOf(type.GetMethod(method)!));
        writer.WriteText(name);
        arguments(writer);
    });

    void Send(ObjectFrameKind kind, uint number, Action<GraphWriter> write)
    {
        _writer.Session.Reset();
        _writer.Begin(ObjectFrame.HeaderLength);
        write(_writer);
        ObjectFrame.WriteHeader(_writer.Written.Span, kind, number, _writer.Written.Length - ObjectFrame.HeaderLength);
        SendBytes(_writer.Written.Span);
    }

    public void SendBytes(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    /// <summary>The next answer: its kind and the first byte of its body.</summary>
    public async Task<(ObjectFrameKind Kind, byte First)> ReadAsync()
    {
        var read = await _input.ReadAtLeastAsync(ObjectFrame.HeaderLength + 1);
        var header = read.Buffer.Slice(0, ObjectFrame.HeaderLength + 1).ToArray();
        var length = ObjectFrame.HeaderLength + BitConverter.ToInt32(header);
        _input.AdvanceTo(read.Buffer.Start);
        read = await _input.ReadAtLeastAsync(length);
        _input.AdvanceTo(read.Buffer.GetPosition(length));
        return ((ObjectFrameKind)header[4], header[^1]);
    }

    /// <summary>Waits until the server ends the connection.</summary>
    public async Task EndAsync()
    {
        try
        {
            while (await _input.ReadAsync() is { IsCompleted: false } read)
                _input.AdvanceTo(read.Buffer.End);
        }
        catch (IOException)
        {
            // It broke it.
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
