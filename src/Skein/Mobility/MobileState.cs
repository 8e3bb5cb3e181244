namespace Skein;

/// <summary>A message that no one has taken yet, or an event with its name.</summary>
readonly record struct Mail(string? EventName, object? Content);

/// <summary>All of a mobile process that travels: what its image holds. Only the turns of the process touch it.</summary>
sealed class MobileState(string id, string home) : ITravelSteps
{
    public ReadyQueue Ready;
    public WaitList Waits;
    [Transient] ImageReading? _made;
    [Transient] ModuleSpace? _space;

    public string Id => id;

    /// <summary>The node that it was started at, and that hears how it ends.</summary>
    public string Home { get; set; } = home;

    /// <summary>How often it has moved.</summary>
    public int Hops { get; set; }

    /// <summary>A number that is greater than all it had before, with each move and each time it goes on from an image: who hears twice where it is believes the greater.</summary>
    public long Sighting => RestoredAt + Hops;

    /// <summary>Of when it last went on from an image, and has fewer hops than others may have heard of; 0: it never did.</summary>
    long RestoredAt { get; set; }

    /// <summary>Whether the store has an image of it, or may have.</summary>
    public bool IsStored { get; set; }

    /// <summary>Whether it may be restored: then letters leave, and those that came are acknowledged, with the commit that has them in it.</summary>
    public bool IsDurable { get; set; }

    /// <summary>Whether an image of it was stored.</summary>
    public bool WasStored { get; set; }

    /// <summary>Of an image: whether it is, or becomes, the one that a store has.</summary>
    public bool IsCommit { get; set; }

    /// <summary>Nothing is left of it but letters.</summary>
    public bool HasEnded { get; private init; }

    /// <summary>It was asked to end by itself.</summary>
    public bool IsStopping { get; set; }

    /// <summary>What was called first. Null until it waits.</summary>
    public MobileFrame? Root { get; set; }

    public Queue<Mail>? Mailbox { get; set; }

    /// <summary>Which letters it has had.</summary>
    public LetterOrder? Letters { get; set; }

    /// <summary>What it has written.</summary>
    public Outbox? Outbox { get; set; }

    /// <summary>How often it was restored from an image that no store had. What it wrote before nobody confuses with what it writes again.</summary>
    public int Restored { get; private set; }

    /// <summary>The name under which it writes.</summary>
    public string Sender => Restored == 0 ? id : $"{id}/{Restored}";

    /// <summary>Null until it has any.</summary>
    public Effects? Effects { get; set; }

    /// <summary>The values that its functions share by name.</summary>
    public Dictionary<string, object?>? Values { get; set; }

    /// <summary>The nodes at which something of it is fastened, and which are told when it has ended.</summary>
    public HashSet<string>? Owners { get; private set; }

    /// <summary>What was made for it at the node where it is.</summary>
    public ImageReading? Made => _made;

    /// <summary>The modules that it uses beside those that the program was started with.</summary>
    public ModuleSpace? Space
    {
        get => _space;
        init => _space = value;
    }

    /// <summary>It is not here any more.</summary>
    public void Gone()
    {
        ImageReading.Remove(_made?.Folder);
        _made = null;
        Interlocked.Exchange(ref _space, null)?.Leave();
    }

    /// <summary>Its objects were made, and it does not go on here after all.</summary>
    public void Discard()
    {
        _made?.Discard();
        Gone();
    }

    /// <summary>Its objects were made, at this node.</summary>
    public void Arrived(ImageReading image, ModuleSpace? space)
    {
        _made = image.HasMade ? image : null;   // a parked process is to be small
        _space = space;
        if (Owners is null)
            Owners = image.Owners;
        else
            Owners.UnionWith(image.Owners ?? []);
    }

    string ITravelSteps.Name => $"process {id}";

    IEnumerable<(string Edge, object? Value)> ITravelSteps.Steps
    {
        get
        {
            yield return ("", Root);
            for (var wait = Waits.First; wait is not null; wait = wait.After)
                yield return ("", wait);
            yield return ("", Ready);
            yield return ("mailbox", Mailbox?.Select(static mail => mail.Content).ToArray());
            yield return ("values", Values);
        }
    }

    /// <summary>It goes on from an image. One that no store had says nothing of the letters that came and went since.</summary>
    /// <param name="node">Where.</param>
    /// <param name="number">Greater than those it had, where the clocks of nodes agree.</param>
    public void BeginAgain(string node, long number)
    {
        Home = node;
        RestoredAt = Math.Max(RestoredAt + 1, number);
        if (IsCommit)
            return;
        Restored++;
        Outbox = null;
        Letters = new() { IsRestored = true };
    }

    /// <summary>What is left of it when it has ended and some of its letters were not had; null: nothing.</summary>
    public MobileState? Remains() => Outbox is not { IsEmpty: false } ? null
        : new(id, Home) { Outbox = Outbox, Restored = Restored, IsStored = IsStored, IsDurable = IsDurable, IsCommit = true, HasEnded = true };

    /// <summary>The first message of this type, or event of this name and type; the others stay in their order.</summary>
    public bool TryTake<T>(string? eventName, out T taken)
    {
        taken = default!;
        if (Mailbox is null)
            return false;
        var found = false;
        for (var i = Mailbox.Count; i > 0; i--)
        {
            var mail = Mailbox.Dequeue();
            if (!found && mail.EventName == eventName && mail.Content is T content)
            {
                (found, taken) = (true, content);
                if (i == Mailbox.Count + 1)
                    break;   // the first of all: the others are in order already
            }
            else
            {
                Mailbox.Enqueue(mail);
            }
        }
        if (Mailbox.Count == 0)
            Mailbox = null;   // the room that a flood has taken is not to be in each image
        return found;
    }
}

/// <summary>Waits for the first function of a process.</summary>
sealed class RootWaiter : Waiter
{
    public static readonly RootWaiter One = new();

    public override void CalleeEnded(MobileFrame callee) => Resident.Require().End(callee.ToOutcome());

    public override void Turn()
    {
    }
}
