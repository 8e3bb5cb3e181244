using System.Reflection;

namespace Skein;

/// <summary>
/// What one direction of a connection has said before: modules, types, methods and functions without state that were described once
/// are numbers afterwards. The writer and the reader at the other end keep one each, in step. A message that fails while it is
/// written leaves no trace in it; a message that was refused while it was read ends the connection, since the two are no longer in step.
/// </summary>
sealed class GraphSession
{
    int _modules, _types, _methods, _functions;   // how many there were when the message began

    /// <param name="withPaths">Whether modules are described with their files: for messages to people, when versions differ.</param>
    public GraphSession(bool withPaths = true)
    {
        WithPaths = withPaths;
    }

    public bool WithPaths { get; }

    public Numbering<Module> Modules { get; } = new();

    /// <summary>For the reader.</summary>
    public Numbering<KnownModule> KnownModules { get; } = new();

    /// <summary>For the reader: whether it remembers types that could be unloaded, if it did not.</summary>
    public bool HoldsCollectible => KnownModules.Any(static known => known.Module.Assembly.IsCollectible);

    public Numbering<Type> Types { get; } = new();
    public Numbering<MethodInfo> Methods { get; } = new();
    public Numbering<Delegate> Functions { get; } = new();

    /// <summary>For the reader: the codecs of <see cref="Types"/> that objects were made of, by number.</summary>
    public List<Codec?> Codecs { get; } = [];

    /// <summary>Changes whenever a number was taken back: numbers noted elsewhere are void then.</summary>
    public int Epoch { get; private set; }

    /// <summary>A message begins: what is added from here on can be rolled back.</summary>
    public void Mark()
    {
        _modules = Modules.Count;
        _types = Types.Count;
        _methods = Methods.Count;
        _functions = Functions.Count;
    }

    public void RollBack()
    {
        if (_modules != Modules.Count || _types != Types.Count || _methods != Methods.Count || _functions != Functions.Count)
            Truncate();
    }

    /// <summary>Forgets everything, as if the connection were new.</summary>
    public void Reset()
    {
        _modules = _types = _methods = _functions = 0;
        KnownModules.Truncate(0);
        Truncate();
    }

    void Truncate()
    {
        Modules.Truncate(_modules);
        Types.Truncate(_types);
        Methods.Truncate(_methods);
        Functions.Truncate(_functions);
        if (Codecs.Count > _types)
            Codecs.RemoveRange(_types, Codecs.Count - _types);
        Epoch++;
    }
}
