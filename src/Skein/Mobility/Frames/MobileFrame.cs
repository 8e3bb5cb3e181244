using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>What goes on when a call has ended. In a process's queue of those that can run it is one link.</summary>
abstract class Waiter
{
    public Waiter? Next;

    /// <summary>The call that it is of; null where nothing in the process waits for it.</summary>
    public virtual MobileFrame? Frame => null;

    public abstract void CalleeEnded(MobileFrame callee);

    /// <summary>It has the processor, until it waits again.</summary>
    public abstract void Turn();
}

/// <summary>
/// A call that has not ended when its caller looked: a method that waits, or something that is waited for (time, a message). Only the
/// turns of its process touch it, so it needs no lock.
/// </summary>
abstract class MobileFrame : Waiter
{
    object? _link;   // while it runs who waits for it, one or a list; afterwards what it threw
    Progress _progress;

    enum Progress : byte { Running, Ended, Failed }

    public sealed override MobileFrame Frame => this;

    /// <summary>Those that wait for it.</summary>
    public IEnumerable<Waiter> Waiters => HasEnded ? [] : _link switch
    {
        Waiter one => [one],
        List<Waiter> several => several,
        _ => [],
    };

    public bool HasEnded => _progress != Progress.Running;

    public Exception? Error => _progress == Progress.Failed ? (Exception)_link! : null;

    public virtual void Await(Waiter waiter)
    {
        switch (_link)
        {
            case null:
                _link = waiter;
                break;
            case List<Waiter> several:
                several.Add(waiter);
                break;
            case Waiter one:
                _link = new List<Waiter> { one, waiter };
                break;
        }
    }

    /// <summary>Takes back an <see cref="Await"/>: a call that outlives many who waited for it does not remember them all.</summary>
    public void Forget(Waiter waiter)
    {
        if (HasEnded)
            return;
        if (_link is List<Waiter> several)
            several.Remove(waiter);
        else if (ReferenceEquals(_link, waiter))
            _link = null;
    }

    public void Fail(Exception error) => End(Progress.Failed, error);

    /// <summary>Its result or error, for whoever started the process.</summary>
    public abstract MobileOutcome ToOutcome();

    /// <summary>As whoever has called it sees it: a <see cref="Mobile"/> or <see cref="Mobile{T}"/>.</summary>
    public abstract object ToCall();

    /// <summary>For whoever hears how its process ends, if this is the first call of it.</summary>
    public abstract MobileProcess NewHandle(MobileNode node, string id);

    protected void End() => End(Progress.Ended, null);

    void End(Progress progress, Exception? error)
    {
        var waiters = _link;
        _link = error;
        _progress = progress;
        Release();
        if (waiters is Waiter one)
        {
            one.CalleeEnded(this);
        }
        else if (waiters is List<Waiter> several)
        {
            foreach (var waiter in several)
                waiter.CalleeEnded(this);
        }
    }

    /// <summary>It has ended and may be kept for its result: what it held beside that goes.</summary>
    protected virtual void Release()
    {
    }
}

/// <summary>The same, with its result.</summary>
abstract class MobileFrame<T> : MobileFrame
{
    T _result = default!;

    public void Succeed(T result)
    {
        _result = result;
        End();
    }

    [StackTraceHidden]
    public T GetResult()
    {
        if (Error is { } error)
            ExceptionDispatchInfo.Throw(error);
        return HasEnded || this is YieldFrame ? _result : throw new InvalidOperationException("This mobile call has not ended: await it. Blocking on it would hold up its whole process.");
    }

    public override MobileOutcome ToOutcome() => new MobileOutcome<T> { Result = _result, Error = Error };

    public override object ToCall() => this is MobileFrame<ValueTuple> frame ? new Mobile(frame) : new Mobile<T>(this);

    public override MobileProcess NewHandle(MobileNode node, string id) => new MobileProcess<T>(node, id);

    public override void CalleeEnded(MobileFrame callee)
    {
    }

    public override void Turn()
    {
    }
}

/// <summary>A call that failed before it waited.</summary>
sealed class FailedFrame<T> : MobileFrame<T>;
