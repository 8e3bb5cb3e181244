namespace Skein.Tests.Mobility;

/// <summary>The code of docs/bindings.md.</summary>
static class BindingSamples
{
    public sealed class Ledger
    {
        public decimal Total { get; private set; }

        public void Add(decimal amount) => Total += amount;
    }

    public interface IBank
    {
        Task<decimal> WithdrawAsync(decimal amount);
    }

    public sealed class Bank : IBank
    {
        decimal _balance = 1000;

        public Task<decimal> WithdrawAsync(decimal amount) => Task.FromResult(_balance -= amount);
    }

    public sealed class Surveyor(IBank bank)
    {
        [Fixed] readonly Ledger _ledger = Here.Resource<Ledger>("ledger");     // each node's own
        [Unattached] readonly FileInfo _notes = new("notes.txt");              // its bytes travel
        [Fastened] readonly IBank _bank = bank;                                // stays where it is

        public async Mobile<decimal> Visit(string node)
        {
            await Here.MoveTo(node);
            _ledger.Add(10);                                                   // this node's ledger
            File.AppendAllText(_notes.FullName, $"{node}\n");                  // the process's copy
            return await _bank.WithdrawAsync(10);                              // a call to the first node
        }
    }

    public static async Mobile<decimal> Wrapped(string node)
    {
        var ledger = Fixed.Of(Here.Resource<Ledger>("ledger"));
        var notes = Unattached.Of(new FileInfo("notes.txt"));
        var bank = Fastened.Of(new Bank());
        await Here.MoveTo(node);
        ledger.Value.Add(10);
        File.AppendAllText(notes.Value.FullName, $"{node}\n");
        return await bank.Call(b => b.WithdrawAsync(10));                      // the function goes to the bank
    }
}
