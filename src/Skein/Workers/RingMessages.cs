using System.Runtime.Versioning;

namespace Skein;

/// <summary>Sends messages of any length through a ring: long ones in pieces, so that copying in and copying out overlap.</summary>
[SupportedOSPlatform("linux")]
sealed class RingSender(Ring ring)
{
    /// <summary>Marks a piece that is not the last of its message. The other bits are the length of the whole message.</summary>
    public const uint More = 1;

    /// <summary>The flags of a piece without bytes: what the receiver has of a message is all that there will be. No message is so long.</summary>
    public const uint CutOff = uint.MaxValue;

    // Waiting for room is waiting for a copy of some 100 KB: a few microseconds, less than going to sleep costs.
    const int Spins = 200;

    // The other side may wait for us to receive before it frees anything: look after that this often.
    static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    // Whoever reads makes room in this time.
    const int NapsBeforeGivingUp = 20;

    bool _isCutOff;   // the last message, which the receiver has a part of

    /// <param name="message">Copied into the ring.</param>
    /// <param name="whileFull">Called when there is no room: the sender may have to receive so that the other side can go on.</param>
    /// <param name="mayGiveUp">Asked when there has been no room for some time.</param>
    public SendOutcome Send(ReadOnlySpan<byte> message, Action? whileFull = null, Func<bool>? mayGiveUp = null)
    {
        var outcome = SendOutcome.Sent;
        if (_isCutOff && (outcome = Put([], CutOff, whileFull, mayGiveUp)) != SendOutcome.Sent)
            return outcome;
        _isCutOff = false;
        var total = (uint)message.Length << 1;
        do
        {
            var length = Math.Min(message.Length, ring.MaxMessage);
            var flags = total | (length < message.Length ? More : 0);
            outcome = Put(message[..length], flags, whileFull, mayGiveUp);
            if (outcome != SendOutcome.Sent)
                return outcome;
            message = message[length..];
            _isCutOff = !message.IsEmpty;
        }
        while (_isCutOff);
        return outcome;
    }

    SendOutcome Put(ReadOnlySpan<byte> piece, uint flags, Action? whileFull, Func<bool>? mayGiveUp)
    {
        Span<byte> space;
        for (var turn = 0; !ring.TryClaim(piece.Length, out space, flags); turn++)
        {
            if (ring.IsClosed)
                return SendOutcome.Closed;
            whileFull?.Invoke();
            if (turn < Spins)
                Thread.SpinWait(20);
            else if (turn > Spins + NapsBeforeGivingUp && mayGiveUp?.Invoke() == true)
                return SendOutcome.GivenUp;
            else
                ring.SleepUntilWritable(Nap);
        }

        piece.CopyTo(space);
        ring.Commit();
        return SendOutcome.Sent;
    }
}

/// <summary>What became of a message.</summary>
enum SendOutcome
{
    Sent,

    /// <summary>The ring was closed: the other side is gone.</summary>
    Closed,

    /// <summary>The other side does not read, and the sender had something better to do. It will see nothing of the message.</summary>
    GivenUp,
}

/// <summary>Receives what a <see cref="RingSender"/> sends. One thread at a time.</summary>
[SupportedOSPlatform("linux")]
sealed class RingReceiver(Ring ring)
{
    // A larger buffer is given back after its message. Room for what workers are sent time and again: images, documents.
    const int Kept = 4 << 20;

    byte[] _buffer = new byte[4096];
    int _length;

    /// <summary>A whole message, or false when there is none yet. The buffer is valid until the next call.</summary>
    public bool TryReceive(out ArraySegment<byte> message)
    {
        if (_length == 0 && _buffer.Length > Kept)
            _buffer = new byte[4096];
        while (ring.TryPeek(out var piece, out var flags))
        {
            if (flags == RingSender.CutOff)
            {
                _length = 0;
                ring.Release();
                continue;
            }

            Append(piece, flags >> 1);
            ring.Release();
            if ((flags & RingSender.More) != 0)
                continue;
            message = new(_buffer, 0, _length);
            _length = 0;
            return true;
        }

        message = default;
        return false;
    }

    /// <summary>As <see cref="TryReceive(out ArraySegment{byte})"/>; when there is none, tells whether there will be none any more.</summary>
    public bool TryReceive(out ArraySegment<byte> message, out bool isOver)
    {
        var closed = ring.IsClosed;   // before the look: what was sent before the end is then seen
        var received = TryReceive(out message);
        isOver = closed && !received;
        return received;
    }

    void Append(ReadOnlySpan<byte> piece, uint total)
    {
        if (total > WireLimits.MaxMessage || (long)_length + piece.Length > total)
            throw new InvalidDataException($"A message of {total} bytes was announced, and {_length + (long)piece.Length} came; the limit is {WireLimits.MaxMessage}.");
        if (total > _buffer.Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>((int)total);
            _buffer.AsSpan(0, _length).CopyTo(larger);
            _buffer = larger;
        }

        piece.CopyTo(_buffer.AsSpan(_length));
        _length += piece.Length;
    }

    /// <summary>Gives memory back that is kept for speed; not while a message is being received.</summary>
    public void Trim()
    {
        if (_length == 0)
            _buffer = new byte[4096];
    }
}
