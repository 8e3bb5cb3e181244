using System.Threading.Channels;

namespace Skein;

/// <summary>The framework's bounded channel, by reference between threads, with the rule that all writers complete.</summary>
sealed class MemoryChannel<T> : ProcessChannel<T>
{
    readonly Channel<T> _channel;
    int _writers;

    public MemoryChannel(int capacity) : base(ChannelKind.Memory, capacity)
    {
        _channel = Channel.CreateBounded<T>(capacity);
        Reader = _channel.Reader;
        Writer = AddWriter();
    }

    public override ChannelWriter<T> AddWriter()
    {
        Interlocked.Increment(ref _writers);
        return new OneOfWriters(this);
    }

    public override ChannelReader<T> AddReader() => Reader;

    public override ValueTask DisposeAsync()
    {
        _channel.Writer.TryComplete(new ObjectDisposedException(nameof(ProcessChannel<>), "The channel was disposed."));
        return default;
    }

    /// <summary>Completes for itself; the last one completes the channel, and an error does at once.</summary>
    sealed class OneOfWriters(MemoryChannel<T> channel) : ChannelWriter<T>
    {
        int _completed;

        public override bool TryWrite(T item) => _completed == 0 && channel._channel.Writer.TryWrite(item);

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) =>
            _completed == 0 ? channel._channel.Writer.WaitToWriteAsync(cancellationToken) : new(false);

        public override ValueTask WriteAsync(T item, CancellationToken cancellationToken = default) =>
            _completed == 0
                ? channel._channel.Writer.WriteAsync(item, cancellationToken)
                : ValueTask.FromException(new ChannelClosedException("The channel was completed."));

        public override bool TryComplete(Exception? error = null)
        {
            if (Interlocked.Exchange(ref _completed, 1) != 0)
                return false;
            if (Interlocked.Decrement(ref channel._writers) == 0 || error is not null)
                channel._channel.Writer.TryComplete(error);
            return true;
        }
    }
}
