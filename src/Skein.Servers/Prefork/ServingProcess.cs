using System.Runtime.Versioning;

namespace Skein;

/// <summary>A worker as its master sees it: the application's process, the conversation with it, and what it prints.</summary>
[SupportedOSPlatform("linux")]
sealed class ServingProcess
{
    const int KeptLines = 30;

    /// <summary>What a worker may take longer than its requests were given, before it is killed.</summary>
    static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    readonly Lock _lock = new();
    readonly TaskCompletionSource<string?> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _heardAll = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Queue<string> _printed = new();
    readonly TimeProvider _time;
    readonly ServeLog _log;
    readonly string _server;
    readonly TimeSpan _drain;
    readonly CancelQuestions _questions;
    readonly DescriptorSocket _control;
    readonly ChildProcess _child;
    readonly WorkerOutput _output;
    ServingState _state;
    long _heard;

    ServingProcess(ServingStart start, DescriptorSocket control, WorkerOutput output, ChildProcess child, Queue<string> printed)
    {
        (_control, _output, _child, _printed) = (control, output, child, printed);
        _time = start.Time;
        _log = start.Log;
        _server = start.Settings.Server;
        _drain = start.Settings.Drain;
        _questions = new(Send);
        Id = start.Settings.Id;
        Release = start.Release;
        Started = _time.GetUtcNow();
        _heard = _time.GetTimestamp();
    }

    public string Id { get; }

    public int Pid => _child.Id;

    public Release Release { get; }

    public DateTimeOffset Started { get; }

    public ServingState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>What it last said of itself.</summary>
    public ServedBeat Beat { get; private set; } = ServedBeat.None;

    /// <summary>Its physical memory.</summary>
    public long ResidentBytes => ProcessUse.ResidentBytes(Pid) ?? 0;

    public TimeSpan ProcessorTime => ProcessUse.ProcessorTime(Pid) ?? TimeSpan.Zero;

    /// <summary>How long it has said nothing.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>Completes with null when it can serve, and with the cause where it cannot. Never fails.</summary>
    public Task<string?> Ready => _ready.Task;

    /// <summary>Completes when it was told to drain, and accepts no connections any more.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Completes when it has ended and all it printed was read.</summary>
    public Task<ExitStatus> Exited { get; private set; } = null!;

    /// <summary>It was told to end.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>The master counts on it; what a reload starts is on trial until all of them are ready.</summary>
    public bool IsCounted { get; set; }

    /// <summary>It is to be drained as soon as another serves in its place: why.</summary>
    public string? Retiring { get; set; }

    /// <summary>Asks others for a request that this one does not have.</summary>
    public required Func<string, Task<CancelOutcome>> CancelElsewhere { get; init; }

    /// <summary>The numbers that this one drew for its replacement.</summary>
    public long MostRequests { get; init; } = long.MaxValue;

    public long MostMemory { get; init; } = long.MaxValue;

    /// <exception cref="ServeException">The system refused.</exception>
    public static ServingProcess Start(ServingStart start)
    {
        var printed = new Queue<string>();
        DescriptorSocket? here = null;
        WorkerOutput? output = null;
        ChildProcess? child = null;
        try
        {
            (here, var there) = DescriptorSocket.Pair();
            using (there)
            {
                output = WorkerOutput.Create(new() { OnOutput = Sink(isError: false), OnError = Sink(isError: true) });
                using var nothing = File.OpenHandle("/dev/null");
                child = Spawner.Start(start.Request((int)nothing.DangerousGetHandle(), output.OutputEnd, output.ErrorEnd, there.Descriptor));
                output.Begin();
                var options = start.Limits;
                var process = new ServingProcess(start, here, output, child, printed) { CancelElsewhere = name => start.CancelElsewhere(start.Settings.Id, name), MostRequests = Drawn(options.MaxRequests), MostMemory = Drawn(options.MaxMemory) };
                process.Begin();
                return process;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            // Descriptors, processes or threads have run out. What nobody would look after must not run.
            child?.Kill();
            here?.Dispose();
            output?.Abandon();
            throw new ServeException($"Worker {start.Settings.Id} could not be started: {error.Message}", error);
        }

        Action<string> Sink(bool isError)
        {
            var severity = new SeverityReader(isError ? LogSeverity.Error : LogSeverity.Information);
            return line =>
            {
                lock (printed)
                {
                    printed.Enqueue(line);
                    if (printed.Count > KeptLines)
                        printed.Dequeue();
                }

                start.Log.Add(start.Settings.Id, severity.Of(line), line, isError);
            };
        }
    }

    /// <summary>The last lines it printed.</summary>
    public string LastLines
    {
        get
        {
            lock (_printed)
                return string.Join('\n', _printed);
        }
    }

    /// <summary>From now on it accepts connections; false where it cannot any more.</summary>
    public bool Accept() => Move(ServingEvent.Accept) && Send(new(ServedMessage.Accept));

    /// <summary>Cancels a request of this worker. Never fails.</summary>
    public Task<CancelOutcome> CancelAsync(string name) => _questions.AskAsync(name);

    /// <summary>It accepts no more, and ends when its requests have; at the deadline it is killed. One that still starts has none.</summary>
    public void Drain()
    {
        var isStarting = State == ServingState.Starting;
        if (!Move(ServingEvent.Drain))
            return;
        IsDraining = true;
        Send(new(ServedMessage.Drain));
        if (isStarting)
            Kill();
        else
            _ = KillAfterAsync(_drain + Margin);
    }

    /// <summary>Ends it at once with all it has started.</summary>
    public void Kill() => _child.Kill();

    /// <summary>How it ended, for people.</summary>
    public static string Describe(ExitStatus status) => status switch
    {
        { Signal: > 0 } => $"was ended by signal {status.Signal}",
        _ => $"ended with code {status.Code}",
    };

    /// <summary>It has not become ready: nobody needs it.</summary>
    public void GiveUp(string cause)
    {
        if (_ready.TrySetResult(cause))
            Kill();
    }

    void Begin()
    {
        Exited = EndAsync();
        new Thread(Listen, 128 * 1024) { IsBackground = true, Name = $"skein-{Id}" }.Start();
    }

    async Task<ExitStatus> EndAsync()
    {
        var status = await _child.Exited.ConfigureAwait(false);

        // What it has started may hold its pipes for long; its own last words and its last beat are there at once.
        await Task.WhenAny(Task.WhenAll(_output.DrainAsync(), _heardAll.Task), Task.Delay(TimeSpan.FromMilliseconds(500), _time)).ConfigureAwait(false);
        Move(ServingEvent.Exit);
        _ready.TrySetResult($"it {Describe(status)} before it was ready{(status is { Signal: 0, Code: 0 } ? ": its Main has returned, and has run no web application" : "")}");
        _closed.TrySetResult();
        lock (_lock)
            _control.Dispose();   // nobody sends any more: its number may mean another worker next
        _questions.Close();
        _child.Dispose();
        return status;
    }

    void Listen()
    {
        Span<byte> buffer = stackalloc byte[ServedMessage.Longest];
        while (Receive(buffer) is > 0 and var length)
        {
            Volatile.Write(ref _heard, _time.GetTimestamp());
            if (Hear(ServedMessage.Read(buffer[..length])))
                continue;

            // The application has the descriptor too: what it may write there must not harm the master.
            _log.Add(_server, LogSeverity.Error, $"worker {Id} (pid {Pid}) said what no worker says: it is killed.", isError: true);
            Kill();
            break;
        }

        _heardAll.TrySetResult();
    }

    /// <summary>0 where nothing more comes.</summary>
    int Receive(Span<byte> buffer)
    {
        try
        {
            return _control.Receive(buffer, out _);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>False where it makes no sense.</summary>
    bool Hear(ServedMessage message)
    {
        switch (message.Word)
        {
            case ServedMessage.Beat when ServedBeat.Of(message) is { } beat:
                Beat = beat;
                return true;
            case ServedMessage.Ready:
                if (Move(ServingEvent.Started))
                    _ready.TrySetResult(null);
                return true;
            case ServedMessage.Closed:
                _closed.TrySetResult();
                return true;
            case ServedMessage.Cancel when message.Fields is [var number, var name] && NamedRequests.IsName(name):
                _ = AnswerAsync(number, name);
                return true;
            case ServedMessage.Cancelled when message.Fields is [var number, var outcome]:
                return _questions.Hear(number, outcome);
            default:
                return false;
        }
    }

    bool Move(ServingEvent happened)
    {
        lock (_lock)
            return ServingStates.TryMove(ref _state, happened);
    }

    async Task AnswerAsync(string number, string name) => _questions.Answer(number, await CancelElsewhere(name).ConfigureAwait(false));

    // Without waiting: the master must not stand still with a worker that does. It will be killed, at the deadline or by its silence.
    bool Send(ServedMessage message)
    {
        Span<byte> buffer = stackalloc byte[ServedMessage.Longest];
        try
        {
            lock (_lock)
                return _control.TrySend(buffer[..message.WriteTo(buffer)], canWait: false);
        }
        catch (IOException)
        {
            return false;   // it is ending
        }
    }

    async Task KillAfterAsync(TimeSpan limit)
    {
        try
        {
            await Exited.WaitAsync(limit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Kill();
        }
    }

    // So that workers that started together are not replaced together.
    static long Drawn(long? most) => most is { } number ? Math.Max(1, (long)(number * (1 - Random.Shared.NextDouble() / 10))) : long.MaxValue;
}
