using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>
/// Stands for a call of a function that has changed, where another function of the newer build goes on with it: whoever waits for the old one
/// waits for this.
/// </summary>
sealed class MigratedFrame<T> : MobileFrame<T>, IMigratedFrame
{
    [Transient] OldCall? _old;
    Mobile<T> _successor;

    public MobileFrame? Successor => _successor.Frame;

    OldCall IMigratedFrame.Old
    {
        get => _old!;
        set => _old = value;
    }

    Type IMigratedFrame.Called => typeof(T) == typeof(ValueTuple) ? typeof(Mobile) : typeof(Mobile<T>);

    public void Call(MethodInfo function, object?[] arguments)
    {
        _successor = function.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null) switch
        {
            Mobile { Frame: MobileFrame<T> frame } => new(frame),
            Mobile<T> call => call,
            _ => default,
        };
        if (Successor?.Error is { } error)
            ExceptionDispatchInfo.Throw(error);
    }

    public void Begin()
    {
        _old!.Callee?.Forget(this);
        _old = null;
        if (_successor.IsCompleted)
            Finish();
        else
            Successor!.Await(this);
    }

    public override void CalleeEnded(MobileFrame callee) => Finish();

    /// <summary>The old call stood in the queue of those that can run.</summary>
    public override void Turn()
    {
    }

    void Finish()
    {
        if (Successor?.Error is { } error)
            Fail(error);
        else
            Succeed(_successor.GetAwaiter().GetResult());
    }

    protected override void Release() => _successor = default;
}

/// <summary>The same, where the type is not known.</summary>
interface IMigratedFrame
{
    /// <summary>What goes on in its place.</summary>
    MobileFrame? Successor { get; }

    /// <summary>Until it has begun.</summary>
    OldCall Old { get; set; }

    /// <summary>As its caller sees it: a <c>Mobile</c> or <c>Mobile&lt;T&gt;</c>.</summary>
    Type Called { get; }

    /// <summary>Calls what takes its place, up to its first wait; throws what that has thrown.</summary>
    void Call(MethodInfo function, object?[] arguments);

    /// <summary>It is settled: those who wait for it get its end.</summary>
    void Begin();
}

/// <summary>Reads a frame of a function of another build as such a one.</summary>
/// <param name="frame">What it was: a <see cref="MethodFrame{TStateMachine,T}"/>.</param>
/// <param name="function">Reads its state machine.</param>
/// <param name="made">Gets each.</param>
sealed class MigratedFrameCodec<T>(Type frame, OldCallCodec function, List<IMigratedFrame> made) : Codec(frame)
{
    readonly Field[] _links = Field.Of(typeof(MobileFrame<T>));

    public override object ReadHead(GraphReader reader)
    {
        var frame = new MigratedFrame<T>();
        made.Add(frame);
        return frame;
    }

    public override void ReadBody(GraphReader reader, object value)
    {
        foreach (var link in _links)
            link.Read(reader, value);
        ((IMigratedFrame)value).Old = function.Type.IsValueType ? function.Read(reader, function.NewCall())
            : reader.ReadReference(function) as OldCall ?? throw GraphReader.Bad("a call without its state machine");
    }
}
