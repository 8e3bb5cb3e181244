namespace Skein;

/// <summary>What a worker is asked to stop: a call as a whole, or only as long as it is at one item of a chunk. It travels as one number.</summary>
/// <param name="Item">-1: as a whole.</param>
readonly record struct StoppedCall(int Slot, int Item)
{
    const int MostItems = 1 << 22;

    /// <summary>Of a later item than can be named, the whole is stopped.</summary>
    public static int Number(int slot, int item) => item is < 0 or >= MostItems ? slot : slot | (item + 1) << 8;

    public static StoppedCall Of(int number) => new(number & 0xff, (number >>> 8) - 1);

    public bool Means(int slot, int item) => Slot == slot && (Item < 0 || Item == item);
}
