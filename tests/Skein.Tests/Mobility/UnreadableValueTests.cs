namespace Skein.Tests.Mobility;

/// <summary>Values that cannot be written or read where they are: whoever waits for them hears of it, and the node lives on.</summary>
public class UnreadableValueTests
{
    readonly MobileNode _a = new("a"), _b = new("b");

    public UnreadableValueTests() => _a.Connect(_b);

    [Fact]
    public async Task A_result_that_changes_while_it_is_written_is_an_error_and_not_silence()
    {
        var busy = new Busy();
        _a.Provide("busy", busy);
        using var over = new CancellationTokenSource();
        var changing = Task.Run(() => busy.Change(over.Token));
        Assert.Equal("changed", await _a.Start(static async () =>
        {
            var busy = Fastened.Of(Here.Resource<Busy>("busy"));
            await Here.MoveTo("b");
            while (true)
            {
                try
                {
                    await busy.Call(static b => b.Entries);
                }
                catch (InvalidOperationException e) when (e.Message.Contains("could not be written", StringComparison.Ordinal))
                {
                    return "changed";
                }
            }
        }).Completion.Within(30));
        await over.CancelAsync();
        await changing.Within();
    }

    [Fact]
    public async Task A_result_whose_keys_cannot_be_hashed_here_is_an_error_and_not_silence()
    {
        var process = _a.Start(static async () =>
        {
            await Here.MoveTo("b");
            return new Dictionary<Particular, int> { [new()] = 1 };
        });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => process.Completion.Within());
        Assert.Equal("no hash here", error.Message);
    }

    [Fact]
    public async Task A_letter_whose_keys_cannot_be_hashed_is_dropped_and_its_reader_lives_on()
    {
        var reader = _a.Start(static async () => await Here.Receive<string>());
        var id = reader.Id;
        _a.Start(async () =>
        {
            await Here.MoveTo("b");
            Here.Send(id, new Dictionary<Particular, int> { [new()] = 1 });
            Here.Send(id, "next");
        });
        Assert.Equal("next", await reader.Completion.Within());
    }

    sealed class Busy
    {
        public Dictionary<int, int> Entries { get; } = Enumerable.Range(0, 10_000).ToDictionary(static i => i);

        public void Change(CancellationToken over)
        {
            for (var i = 10_000; !over.IsCancellationRequested; i++)
            {
                Entries.Add(i, i);
                Entries.Remove(i - 10_000);
            }
        }
    }

    /// <summary>Hashed where it was made only.</summary>
    sealed class Particular
    {
        [Transient] readonly object? _here = new();

        public override int GetHashCode() => _here is null ? throw new InvalidOperationException("no hash here") : 1;

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);
    }
}
