using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Skein.Tests.Servers;

/// <summary>As much of a browser as it takes to open a page of Blazor Server and click: the circuit's messages over a WebSocket.</summary>
sealed partial class CircuitClient : IAsyncDisposable
{
    const long Invocation = 1, Completion = 3;
    const string FirstHandler = "1";   // a renderer counts its event handlers

    readonly ClientWebSocket _socket = new();
    readonly Queue<object?[]> _heard = new();
    string _events = "";
    int _calls;

    /// <summary>Opens a connection to the circuits of a server, which negotiates nothing.</summary>
    public static async Task<CircuitClient> ConnectAsync(Uri url)
    {
        var client = new CircuitClient();
        await client._socket.ConnectAsync(new($"ws://{url.Authority}/_blazor"), CancellationToken.None).Within();
        await client.SendAsync("{\"protocol\":\"blazorpack\",\"version\":1}\u001e"u8.ToArray());
        Assert.Equal("{}\u001e", Encoding.UTF8.GetString(await client.ReceiveAsync()));
        return client;
    }

    /// <summary>Begins the circuit of a page; its secret, with which it can be found again.</summary>
    public async Task<string> BeginAsync(Uri url, string page)
    {
        var markers = Marker().Matches(page).Select(marker => marker.Groups[1].Value);
        return (string)(await CallAsync("StartCircuit", $"{url}", $"{url}blazor", $"[{string.Join(',', markers)}]", ""))!;
    }

    /// <summary>Asks for the circuit of a connection that was lost.</summary>
    public async Task<bool> FindAgainAsync(string secret) => (bool)(await CallAsync("ConnectCircuit", secret))!;

    public Task ClickAsync() => SayAsync(
        "BeginInvokeDotNetFromJS", $"{++_calls}", null, "DispatchEventAsync", JsonDocument.Parse(_events).RootElement[1].GetProperty("__dotNetObject").GetInt64(),
        $$"""[{"eventHandlerId":{{FirstHandler}},"eventName":"click","eventFieldInfo":null},{"type":"click","detail":1}]""");

    /// <summary>Waits until the page shows this text.</summary>
    public async Task ShowsAsync(string text)
    {
        while (true)
        {
            if (await NextAsync(message => message is [Invocation, ..]) is not [_, _, _, "JS.RenderBatch", object?[] and [var number, byte[] batch], ..])
                continue;
            await SayAsync("OnRenderCompleted", number, null);
            if (Encoding.UTF8.GetString(batch).Contains(text, StringComparison.Ordinal))
                return;
        }
    }

    /// <summary>Waits until the server has ended the connection.</summary>
    public async Task EndsAsync() => await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
    {
        while (true)
            await ReceiveAsync();
    }).Within(20);

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return default;
    }

    async Task<object?> CallAsync(string method, params object?[] arguments)
    {
        var id = $"call {++_calls}";
        await SendAsync(Framed([Invocation, new Headers(), id, method, arguments]));
        return await NextAsync(message => message is [Completion, _, string of, ..] && of == id) switch
        {
            [_, _, _, 3L, var result] => result,
            var failed => throw new InvalidOperationException($"{method}: {string.Join(' ', failed)}"),
        };
    }

    Task SayAsync(string method, params object?[] arguments) => SendAsync(Framed([Invocation, new Headers(), null, method, arguments]));

    async Task<object?[]> NextAsync(Func<object?[], bool> isWanted)
    {
        for (var left = _heard.Count; left > 0; left--)
        {
            var before = _heard.Dequeue();
            if (isWanted(before))
                return before;
            _heard.Enqueue(before);
        }

        while (true)
        {
            var bytes = await ReceiveAsync();
            for (var at = 0; at < bytes.Length;)
            {
                var length = 0;
                for (var shift = 0; ; shift += 7)
                {
                    length |= (bytes[at] & 0x7f) << shift;
                    if ((bytes[at++] & 0x80) == 0)
                        break;
                }

                var start = at;
                _heard.Enqueue((object?[])MessagePack.Read(bytes, ref at)!);
                Assert.Equal(start + length, at);
            }

            foreach (var call in _heard.Where(message => message is [Invocation, _, _, "JS.BeginInvokeJS", ..]).ToArray())
                await AnswerAsync((object?[])call[4]!);
            var kept = _heard.Where(message => message is not ([Invocation, _, _, "JS.BeginInvokeJS", ..])).ToArray();
            _heard.Clear();
            foreach (var message in kept)
                _heard.Enqueue(message);
            Assert.DoesNotContain(kept, message => message is [Invocation, _, _, "JS.Error", ..]);
            if (Array.FindIndex(kept, message => isWanted(message)) >= 0)
                return await NextAsync(isWanted);
        }
    }

    // What the page's script would do for the server: nothing, but it says how events are told.
    async Task AnswerAsync(object?[] call)
    {
        if (call is [_, "Blazor._internal.attachWebRendererInterop", string arguments, ..])
            _events = arguments;
        await SayAsync("EndInvokeJSFromDotNet", call[0], true, $"[{call[0]},true,null]");
    }

    Task SendAsync(byte[] bytes) => _socket.SendAsync(bytes, WebSocketMessageType.Binary, true, CancellationToken.None).Within();

    async Task<byte[]> ReceiveAsync()
    {
        var (all, buffer) = (new List<byte>(), new byte[16 * 1024]);
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer, CancellationToken.None).Within(20);
            if (part.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException("The server has closed the circuit.");
            all.AddRange(buffer.AsSpan(0, part.Count));
            if (part.EndOfMessage)
                return [.. all];
        }
    }

    static byte[] Framed(object?[] message)
    {
        var bytes = new List<byte>();
        MessagePack.Write(bytes, message);
        var framed = new List<byte>();
        for (var left = bytes.Count; ; left >>= 7)
        {
            framed.Add((byte)(left > 0x7f ? left & 0x7f | 0x80 : left));
            if (left <= 0x7f)
                return [.. framed, .. bytes];
        }
    }

    [GeneratedRegex("<!--Blazor:(\\{[^>]*\"descriptor\"[^>]*\\})-->")] private static partial Regex Marker();

    sealed class Headers;

    /// <summary>As much of MessagePack as circuits use.</summary>
    static class MessagePack
    {
        public static void Write(List<byte> to, object? value)
        {
            switch (value)
            {
                case null:
                    to.Add(0xc0);
                    break;
                case bool truth:
                    to.Add((byte)(truth ? 0xc3 : 0xc2));
                    break;
                case int or long:
                    to.Add(0xd3);
                    Span<byte> number = stackalloc byte[8];
                    BinaryPrimitives.WriteInt64BigEndian(number, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                    to.AddRange(number);
                    break;
                case string text:
                    to.Add(0xdb);
                    Span<byte> length = stackalloc byte[4];
                    BinaryPrimitives.WriteInt32BigEndian(length, Encoding.UTF8.GetByteCount(text));
                    to.AddRange(length);
                    to.AddRange(Encoding.UTF8.GetBytes(text));
                    break;
                case Headers:
                    to.Add(0x80);
                    break;
                case object?[] items:
                    to.Add((byte)(0x90 | items.Length));
                    foreach (var item in items)
                        Write(to, item);
                    break;
                default:
                    throw new ArgumentException($"{value.GetType()}");
            }
        }

        public static object? Read(byte[] from, ref int at)
        {
            var kind = from[at++];
            switch (kind)
            {
                case <= 0x7f:
                    return (long)kind;
                case >= 0xe0:
                    return (long)(sbyte)kind;
                case <= 0x8f:
                    for (var pairs = kind & 0xf; pairs > 0; pairs--)
                        _ = (Read(from, ref at), Read(from, ref at));
                    return new Headers();
                case <= 0x9f:
                    return Items(kind & 0xf, from, ref at);
                case <= 0xbf:
                    return Encoding.UTF8.GetString(Bytes(kind & 0x1f, from, ref at));
                case 0xc0:
                    return null;
                case 0xc2 or 0xc3:
                    return kind == 0xc3;
                case 0xc4 or 0xc5 or 0xc6:
                    return Bytes((int)Number(1 << (kind - 0xc4), from, ref at), from, ref at);
                case 0xcc or 0xcd or 0xce or 0xcf:
                    return Number(1 << (kind - 0xcc), from, ref at);
                case 0xd0:
                    return (long)(sbyte)Number(1, from, ref at);
                case 0xd1:
                    return (long)(short)Number(2, from, ref at);
                case 0xd2:
                    return (long)(int)Number(4, from, ref at);
                case 0xd3:
                    return Number(8, from, ref at);
                case 0xd9 or 0xda or 0xdb:
                    return Encoding.UTF8.GetString(Bytes((int)Number(1 << (kind - 0xd9), from, ref at), from, ref at));
                case 0xdc or 0xdd:
                    return Items((int)Number(2 << (kind - 0xdc), from, ref at), from, ref at);
                default:
                    throw new InvalidDataException($"{kind:x}");
            }
        }

        static object?[] Items(int count, byte[] from, ref int at)
        {
            var items = new object?[count];
            for (var i = 0; i < count; i++)
                items[i] = Read(from, ref at);
            return items;
        }

        static byte[] Bytes(int length, byte[] from, ref int at) => from.AsSpan((at += length) - length, length).ToArray();

        static long Number(int length, byte[] from, ref int at)
        {
            var number = 0L;
            for (; length > 0; length--)
                number = number << 8 | from[at++];
            return number;
        }
    }
}
