using System.Net;
using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein;

/// <summary>A channel over one of the kinds that processes share, as long as its ends are here.</summary>
[SupportedOSPlatform("linux")]
sealed class EndsChannel<T> : ProcessChannel<T>
{
    static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    readonly List<EndReader<T>> _readers = [];
    readonly List<EndWriter<T>> _writers = [];
    readonly IPEndPoint _address;

    public EndsChannel(ChannelKind kind, int capacity, IPEndPoint address) : base(kind, capacity)
    {
        var (reader, writer) = EndFactory.Create(kind, capacity, address);
        _address = new(address.Address, 0);
        _readers.Add(new(reader));
        _writers.Add(new(writer));
        Reader = _readers[0];
        Writer = _writers[0];
    }

    public override ChannelWriter<T> AddWriter()
    {
        var first = _writers[0].End;
        lock (first.Gate)
        {
            ThrowIfUsed(first);
            var descriptors = first.DescriptorsForAnother();
            if (Kind == ChannelKind.Tcp)
                descriptors = [.. descriptors.AsSpan(0, 2), AddConnection(descriptors[2])];
            var secret = (first.Port as UdpPort)?.Secret ?? 0;
            var number = Interlocked.Increment(ref first.Page.WritersOpened) - 1;
            _writers.Add(new(EndFactory.Open(Kind, reads: false, number, secret, descriptors)));
        }

        return _writers[^1];
    }

    public override ChannelReader<T> AddReader()
    {
        var first = _readers[0].End;
        lock (first.Gate)
        {
            ThrowIfUsed(first);
            var secret = (first.Port as UdpPort)?.Secret ?? 0;
            var number = Interlocked.Increment(ref first.Page.ReadersOpened) - 1;
            _readers.Add(new(EndFactory.Open(Kind, reads: true, number, secret, first.DescriptorsForAnother())));
        }

        return _readers[^1];
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var writer in _writers)
            await writer.CloseAsync(Linger).ConfigureAwait(false);
        foreach (var reader in _readers)
            reader.Dispose();
    }

    /// <summary>Each TCP writer has a connection of its own; every reader gets the other end of it.</summary>
    int AddConnection(int replaced)
    {
        Descriptor.Close(ref replaced);
        var (accepted, connected) = TcpPort.Connect(_address);
        for (var i = 0; i < _readers.Count; i++)
        {
            lock (_readers[i].End.Gate)
                ((TcpPort)_readers[i].End.Port).Add(i == 0 ? accepted : Descriptor.Duplicate(accepted));
        }

        return connected;
    }

    static void ThrowIfUsed(ChannelEnd end)
    {
        if (end.IsClosed || Volatile.Read(ref end.Page.Used) != 0)
            throw new InvalidOperationException("Further ends are added before the first item is written and before the first end is sent to another process.");
    }
}
