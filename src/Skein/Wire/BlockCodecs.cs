using System.Runtime.CompilerServices;

namespace Skein;

sealed class BooleanCodec : BlockCodec<bool>
{
    public override void Check(ReadOnlySpan<bool> values)
    {
        foreach (ref readonly var value in values)
        {
            if (Unsafe.BitCast<bool, byte>(value) > 1)
                throw GraphReader.Bad("neither true nor false");
        }
    }
}

sealed class DecimalCodec : BlockCodec<decimal>
{
    public override void Check(ReadOnlySpan<decimal> values)
    {
        foreach (ref readonly var value in values)
        {
            var flags = (int)Unsafe.BitCast<decimal, Int128>(value);
            if ((flags & 0x7F00FFFF) != 0 || (flags >> 16 & 0xFF) > 28)
                throw GraphReader.Bad("not a decimal");
        }
    }
}

sealed class DateTimeCodec : BlockCodec<DateTime>
{
    public override void Check(ReadOnlySpan<DateTime> values)
    {
        foreach (ref readonly var value in values)
        {
            if (value.Ticks > DateTime.MaxValue.Ticks)
                throw GraphReader.Bad("not a date");
        }
    }
}

sealed class DateOnlyCodec : BlockCodec<DateOnly>
{
    public override void Check(ReadOnlySpan<DateOnly> values)
    {
        foreach (ref readonly var value in values)
        {
            if ((uint)value.DayNumber > (uint)DateOnly.MaxValue.DayNumber)
                throw GraphReader.Bad("not a date");
        }
    }
}

sealed class TimeOnlyCodec : BlockCodec<TimeOnly>
{
    public override void Check(ReadOnlySpan<TimeOnly> values)
    {
        foreach (ref readonly var value in values)
        {
            if ((ulong)value.Ticks > (ulong)TimeOnly.MaxValue.Ticks)
                throw GraphReader.Bad("not a time of day");
        }
    }
}

sealed class DateTimeOffsetCodec : ValueCodec<DateTimeOffset>
{
    public override void Write(GraphWriter writer, ref DateTimeOffset value)
    {
        var ticks = value.Ticks;
        writer.WriteRaw(ref ticks);
        writer.WriteSigned(value.TotalOffsetMinutes);
    }

    public override void Read(GraphReader reader, ref DateTimeOffset value)
    {
        var ticks = 0L;
        reader.ReadRaw(ref ticks);
        value = new(ticks, TimeSpan.FromMinutes(reader.ReadInt32()));   // the constructor checks both
    }
}
