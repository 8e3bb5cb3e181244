using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Skein;

/// <summary>A client's connection at the server: reads its calls and gives them to their objects.</summary>
sealed class ServedClient
{
    const int MaxBindings = 1000;   // a program has fewer interfaces; one that has not must not fill the memory with names

    readonly IReadOnlyDictionary<string, ObjectKind> _kinds;
    readonly ActiveObjects _objects;
    readonly ObjectServerOptions _options;
    readonly ConnectionContext _connection;
    readonly FrameOutput _output;
    readonly List<Binding> _bindings = [];
    readonly ConcurrentDictionary<uint, ObjectCall> _calls = new();
    readonly GraphSession _session = new(withPaths: false);
    GraphReader _reader;
    int _underWay, _wanted;
    TaskCompletionSource? _waiting;   // for the number of calls to be as wanted; the lock of the calls guards these three

    public ServedClient(ConnectionContext connection, IReadOnlyDictionary<string, ObjectKind> kinds, ActiveObjects objects, ObjectServerOptions options)
    {
        (_connection, _kinds, _objects, _options) = (connection, kinds, objects, options);
        _output = new(connection.Transport.Output, options.MaxMessage, $"{nameof(ObjectServerOptions)}.{nameof(options.MaxMessage)} at the server, and the client's");
        _reader = new(_session);
    }

    /// <summary>Serves it until it leaves, or the server stops.</summary>
    public async Task ServeAsync()
    {
        using var left = _connection.ConnectionClosed.UnsafeRegister(static client => ((ServedClient)client!).CancelAll(), this);
        using var stopping = _connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
            .UnsafeRegister(static input => ((System.IO.Pipelines.PipeReader)input!).CancelPendingRead(), _connection.Transport.Input);
        try
        {
            await ObjectFrame.ReadAllAsync(_connection.Transport.Input, _options.MaxMessage, TakeAsync).ConfigureAwait(true);
            await UntilAtMost(0).ConfigureAwait(true);   // all are answered
            await _output.EndAsync().ConfigureAwait(true);
        }
        finally
        {
            CancelAll();
            _objects.Release(this);
        }
    }

    /// <summary>What a call's method has registered with its token failed when that was cancelled.</summary>
    public void Report(ObjectCall call, Exception error) =>
        _options.LoggerFactory.CreateLogger("Skein.ObjectServer").CallbackFailed($"{call.Kind.Interface.Name} '{call.Name}'", error);

    void CancelAll()
    {
        foreach (var call in _calls.Values)
            call.Cancel();
    }

    ValueTask TakeAsync(ObjectFrame frame)
    {
        _session.Reset();
        _reader.Begin(frame.Body.Array!, frame.Body.Offset, frame.Body.Count);
        switch (frame.Kind)
        {
            case ObjectFrameKind.Bind:
                Bind();
                return default;
            case ObjectFrameKind.Cancel:
                if (_calls.TryGetValue(frame.Number, out var call))
                    call.Cancel();
                return default;
            case ObjectFrameKind.Call:
                Read(frame.Number);
                return RoomForMoreAsync();
            default:
                throw new InvalidDataException($"A client does not say {frame.Kind}.");
        }
    }

    void Bind()
    {
        if (_bindings.Count == MaxBindings)
            throw new InvalidDataException($"A client names {MaxBindings} interfaces at most.");
        var name = _reader.ReadText();
        var methods = new string[_reader.ReadCount()];
        for (var i = 0; i < methods.Length; i++)
            methods[i] = _reader.ReadText();
        var kind = _kinds.GetValueOrDefault(name);
        _bindings.Add(new(name, methods, kind, [.. methods.Select(signature => kind?.Interface.Methods.FirstOrDefault(method => method.Signature == signature))]));
    }

    void Read(uint number)
    {
        var binding = At(_bindings, _reader.ReadNumber());
        var which = _reader.ReadNumber();
        var signature = At(binding.Signatures, which);
        var name = _reader.ReadText();
        if (binding.Kind is not { } kind)
        {
            Refuse(number, ObjectFault.UnknownObject, $"The server has no {binding.Name}.");
            return;
        }

        if (binding.Methods[(int)which] is not { } method)
        {
            Refuse(number, ObjectFault.UnknownMethod, $"The server's {binding.Name} has no such method: {signature}.");
            return;
        }

        try
        {
            var call = new ObjectCall(this, number, kind, method, name, method.ReadArguments(_reader));
            _reader.End();
            if (_reader.IsUnfinished)
                (call.Unfinished, _reader) = (_reader, new(_session));
            if (!_calls.TryAdd(number, call))
                throw new InvalidDataException("Two calls have one number.");
            lock (_calls)
                _underWay++;
            _objects.Post(call);
        }
        catch (Exception refused) when (refused is InvalidDataException or ModuleVersionException)
        {
            Refuse(number, ObjectFault.RefusedType, $"{signature}: {refused.Message}");
        }
    }

    static T At<T>(IReadOnlyList<T> list, ulong index) => index < (ulong)list.Count ? list[(int)index] : throw new InvalidDataException("A call of what was not named before.");

    void Refuse(uint number, ObjectFault why, string message)
    {
        _output.Send(ObjectFrameKind.Fault, number, (why, message), static (writer, state) =>
        {
            writer.WriteByte((byte)state.why);
            writer.WriteText(state.message);
        });
    }

    /// <summary>Answers a call.</summary>
    public void Finish<TState>(ObjectCall call, ObjectFrameKind kind, TState state, Action<GraphWriter, TState> write)
    {
        try
        {
            _output.Send(kind, call.Number, state, write);
        }
        catch (Exception refused)   // a result that cannot travel, or is too long: the caller learns why
        {
            _output.Send(ObjectFrameKind.Fault, call.Number, FaultRecord.Of(refused), static (writer, record) =>
            {
                writer.WriteByte((byte)ObjectFault.Thrown);
                writer.Write(record);
            });
        }

        if (_calls.TryRemove(call.Number, out _))
            Left();
        call.Dispose();
    }

    // For another call: few enough are under way, and the client takes its answers.
    ValueTask RoomForMoreAsync()
    {
        var calls = UntilAtMost(_options.MaxCallsPerClient - 1);
        var answers = _output.RoomAsync();
        return calls.IsCompletedSuccessfully && answers.IsCompletedSuccessfully ? default : new(Task.WhenAll(calls, answers).WaitAsync(_connection.ConnectionClosed));
    }

    Task UntilAtMost(int calls)
    {
        lock (_calls)
        {
            if (_underWay <= calls)
                return Task.CompletedTask;
            (_wanted, _waiting) = (calls, new(TaskCreationOptions.RunContinuationsAsynchronously));
            return _waiting.Task.WaitAsync(_connection.ConnectionClosed);
        }
    }

    void Left()
    {
        lock (_calls)
        {
            if (--_underWay <= _wanted)
                _waiting?.TrySetResult();
        }
    }

    /// <summary>An interface as the client sees it, and what there is of it here.</summary>
    sealed record Binding(string Name, string[] Signatures, ObjectKind? Kind, ObjectMethod?[] Methods);
}
