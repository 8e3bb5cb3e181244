using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Skein.Bench.Mobility;

/// <summary>A function goes to another operating-system process and comes back, beside bytes that do.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
static class Hops
{
    /// <summary>What a hop sends of a process with a small state.</summary>
    const int FrameLength = 240;

    const int InFlight = 64;

    public static Experiment RoundTrip(Scale scale)
    {
        var count = scale.Of(1000);
        return new("mobile-hop", "to another operating-system process and back", Unit.Microseconds,
        [
            new TwoNodes("hop, Unix socket", "three calls deep; Here.MoveTo there and back", false, node => RoundTripsAsync(node, count)),
            new EchoContender("ping, Unix socket", $"a frame of {FrameLength} bytes, one at a time", false, echo => PingsAsync(echo, count * 4)),
            new TwoNodes("hop, TLS", "the same over TLS 1.3 on the loopback, certificates on both sides", true, node => RoundTripsAsync(node, count)),
            new EchoContender("ping, TLS", $"a frame of {FrameLength} bytes, one at a time; TLS 1.3 on the loopback", true, echo => PingsAsync(echo, count * 4)),
        ],
        [
            new("hop, Unix socket", "ping, Unix socket") { AtLeast = 1 / 6.0 },
            new("hop, TLS", "ping, TLS") { AtLeast = 1 / 6.0 },
        ]);
    }

    public static Experiment Throughput(Scale scale)
    {
        var (count, parked) = (scale.Of(400), scale.Of(10_000));
        return new("mobile-hops", "processes that hop over a Unix socket, and frames that it echoes", Unit.PerSecond,
        [
            new TwoNodes("hops", $"{InFlight} processes, three calls deep, there and back all the time", false, node => ManyAsync(node, count)),
            new EchoContender("frames", $"{InFlight} frames of {FrameLength} bytes in flight, there and back all the time", false, echo => EchoesAsync(echo, count * InFlight * 4)),
            new TwoNodes("drain", "10,000 parked processes, three calls deep, each asked to move", false, node => DrainAsync(node, parked)),
        ],
        [
            new("hops", "frames") { AtLeast = 0.5 },
            new("drain", "hops") { AtLeast = 0.25 },
        ]);
    }

    static async Task<double> RoundTripsAsync(MobileNode node, int count)
    {
        var started = Stopwatch.GetTimestamp();
        if (await node.Start(() => Outer(count)).Completion.Within() != 2 * count + 7)
            throw new InvalidDataException("it has lost its locals on the way");
        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / count;
    }

    static async Task<double> ManyAsync(MobileNode node, int count)
    {
        var started = Stopwatch.GetTimestamp();
        var ended = await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => node.Start(() => Outer(count)).Completion)).Within();
        if (ended.Any(each => each != 2 * count + 7))
            throw new InvalidDataException("one has lost its locals on the way");
        return 2.0 * count * InFlight / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    static async Task<double> DrainAsync(MobileNode node, int count)
    {
        var processes = Enumerable.Range(0, count).Select(i => MobileFunctions.ThreeCalls(node, i)).ToArray();
        await processes[^1].CaptureAsync();   // the last waits
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(processes.Select(process => process.MoveToAsync(NodeProgram.Name))).Within();
        var took = Stopwatch.GetElapsedTime(started);
        if (node.Count > 0)
            throw new InvalidDataException($"{node.Count} are left");
        await MobileFunctions.EndAsync(processes);
        return count / took.TotalSeconds;
    }

    static async Mobile<int> Outer(int count) => await Middle(count, "text") + 3;

    static async Mobile<int> Middle(int count, string text) => await Inner(count) + text.Length;

    static async Mobile<int> Inner(long count)
    {
        var hops = 0;
        for (; hops < 2 * count; hops++)
            await Here.MoveTo(hops % 2 == 0 ? NodeProgram.Name : "here");
        return hops;
    }

    static async Task<double> PingsAsync(EchoContender echo, int count)
    {
        var frame = Echo.NewFrame(FrameLength);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            await echo.SendAsync(frame);
        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / count;
    }

    static async Task<double> EchoesAsync(EchoContender echo, int count)
    {
        var frame = Echo.NewFrame(FrameLength);
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            for (var i = 0; i < count / InFlight; i++)
                await echo.SendAsync(frame);
        })).Within();
        return count / InFlight * InFlight / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The same connection, with nothing but frames on it.</summary>
    sealed class EchoContender(string name, string settings, bool isSecured, Func<EchoContender, Task<double>> measure) : Contender(name, settings)
    {
        readonly Queue<TaskCompletionSource> _waiting = new();
        string _folder = "";   // from the start on
        NodeProgram? _there;
        Echo? _echo;

        public override async Task StartAsync()
        {
            _folder = Directory.CreateTempSubdirectory("skein-bench-echo-").FullName;
            var file = Path.Combine(_folder, "socket");
            _there = await NodeProgram.StartAsync(isSecured ? [Echo.Argument, "tls"] : [Echo.Argument, "unix", file]);
            _echo = await Echo.ConnectAsync(isSecured ? new IPEndPoint(IPAddress.Loopback, _there.Port) : new UnixDomainSocketEndPoint(file), isSecured, (_, back) => Take(back));
        }

        public override Task<double> MeasureAsync() => measure(this);

        /// <summary>Ends when the frame is back.</summary>
        public Task SendAsync(byte[] frame)
        {
            var back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_waiting)
            {
                _waiting.Enqueue(back);
                _echo!.Send(frame);
            }

            return back.Task;
        }

        public override async ValueTask DisposeAsync()
        {
            if (_echo is not null)
                await _echo.DisposeAsync();
            if (_there is not null)
                await _there.DisposeAsync();
            if (_folder.Length > 0)
                Directory.Delete(_folder, recursive: true);
        }

        void Take(ReadOnlyMemory<byte> frame)
        {
            if (frame.Length != 4 + FrameLength)
                throw new InvalidDataException($"{frame.Length} bytes came back");
            TaskCompletionSource first;
            lock (_waiting)
                first = _waiting.Dequeue();
            first.SetResult();
        }
    }
}
