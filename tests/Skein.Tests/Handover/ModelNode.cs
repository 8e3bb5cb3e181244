namespace Skein.Tests.Handover;

/// <summary>A node of a model, through all of its lives. The node is the product's; its threads, its time, its store and its connection are the model's.</summary>
sealed class ModelNode(string name, ModelTime time, object world)
{
    readonly List<IThreadPoolWorkItem> _ready = [];
    TimeProvider _life = null!;

    public string Name => name;

    public MobileNode? Node { get; private set; }

    public ModelStore Store { get; } = new();

    public bool CanRun => Node is not null && _ready.Count > 0;

    public bool CanStore => Node is not null && Store.HasWaiting;

    public void Start()
    {
        _life = time.OfLife();
        List<IThreadPoolWorkItem> ready = _ready;
        Node = new(name, _life, Store) { Run = ready.Add };
        Node.Provide("world", world);
        Assert.True(Node.RestoreAsync().IsCompletedSuccessfully);
    }

    public void RunOne(Random random)
    {
        var place = random.Next(_ready.Count);
        var process = _ready[place];
        _ready.RemoveAt(place);
        process.Execute();
    }

    /// <summary>All at once, as by SIGKILL. What the store was asked for it may have done.</summary>
    public void Crash(Random random)
    {
        Node = null;
        _ready.Clear();
        time.Forget(_life);
        Store.Crash(random);
    }

    /// <summary>Whether the process is here and not given away.</summary>
    public bool Has(string process) => Node?.List().Any(status => status.Id == process && status.Peer is null) == true;
}
