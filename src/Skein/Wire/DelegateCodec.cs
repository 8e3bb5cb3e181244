namespace Skein;

/// <summary>
/// Functions: their methods and the objects that these work on. One without state (a static method, a lambda that captures nothing)
/// is described once in a connection; afterwards its number suffices and gives the same object.
/// </summary>
sealed class DelegateCodec : Codec
{
    public DelegateCodec(Type type) : base(type) => HasBody = false;

    /// <summary><c>0</c> described here, <c>1</c> described and to be remembered, else the number of a function plus 2.</summary>
    public override void WriteHead(GraphWriter writer, object value)
    {
        var function = (Delegate)value;
        if (writer.TryWriteKnownFunction(function))
            return;
        var remembered = IsStateless(function) && !writer.Session.Functions.IsFull;
        writer.WriteByte(remembered ? (byte)1 : (byte)0);
        if (function.HasSingleTarget)
        {
            writer.WriteNumber(1);
            WriteOne(writer, function);
        }
        else
        {
            var all = function.GetInvocationList();
            writer.WriteNumber((uint)all.Length);
            foreach (var one in all)
                WriteOne(writer, one);
        }
        if (remembered)
            writer.Session.Functions.Add(function);
    }

    public override object ReadHead(GraphReader reader)
    {
        var tag = reader.ReadNumber();
        if (tag >= 2)
            return reader.Function(tag - 2, Type);
        Delegate? all = null;
        var count = reader.ReadCount(2);
        if (count == 0)
            throw GraphReader.Bad("a function without a method");
        for (var i = 0; i < count; i++)
            all = Delegate.Combine(all, ReadOne(reader));
        if (tag == 1)
            reader.RememberFunction(all!);
        return all!;
    }

    void WriteOne(GraphWriter writer, Delegate function)
    {
        var method = function.Method;
        if (!writer.Session.Methods.TryFind(method, out _) && TypePolicy.WhyNot(method) is { } reason)
            throw new Refusal(function, Type, reason);
        writer.WriteMethod(method);
        if (function.Target is { } target && ClosureCodec.IsClosure(target.GetType()))
            writer.WriteClosure(target, [ClosureScan.Of(method)]);
        else
            writer.WriteReference(function.Target, null);
    }

    Delegate ReadOne(GraphReader reader)
    {
        var method = reader.ReadMethod();
        var target = reader.ReadReference(null);
        return target is null ? Delegate.CreateDelegate(Type, method) : Delegate.CreateDelegate(Type, target, method);
    }

    /// <summary>The object of a lambda that captures nothing is the compiler's: one without fields, made once.</summary>
    public static bool IsStateless(Delegate function) =>
        function.HasSingleTarget && (function.Target is null || function.Target.GetType().Name == "<>c");
}
