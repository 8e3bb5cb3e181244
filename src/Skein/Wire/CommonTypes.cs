namespace Skein;

/// <summary>Types that every session numbers alike. Only such as the runtime has loaded anyway: a worker's start would pay for others.</summary>
static class CommonTypes
{
    static readonly Type[] Types =
    [
        typeof(object), typeof(string), typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(char),
        typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(float), typeof(double), typeof(decimal), typeof(Guid),
        typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(Type), typeof(void), typeof(Exception), typeof(Task),
        typeof(StringComparer), typeof(Version), typeof(CancellationToken), typeof(Action), typeof(Nullable<>), typeof(KeyValuePair<,>),
        typeof(byte[]), typeof(int[]), typeof(long[]), typeof(double[]), typeof(string[]), typeof(object[]),
        typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(Queue<>), typeof(List<string>), typeof(List<int>),
        typeof(List<object>), typeof(Dictionary<string, object>), typeof(Dictionary<string, string>), typeof(Dictionary<string, int>),
        typeof(IEnumerable<>), typeof(IReadOnlyList<>), typeof(Memory<>), typeof(ReadOnlyMemory<>), typeof(ArraySegment<>),
        typeof(ValueTuple<,>), typeof(ValueTuple<,,>), typeof(ValueTuple<,,,>), typeof(Tuple<,>), typeof(Task<>), typeof(ValueTask<>),
        typeof(Action<>), typeof(Action<,>), typeof(Func<>), typeof(Func<,>), typeof(Func<,,>), typeof(Func<,,,>), typeof(Func<,,,,>),
        typeof(Func<int, int>), typeof(Func<string, string>), typeof(Func<string, int>),
    ];

    static readonly Dictionary<Type, int> Numbers = MakeNumbers();

    public static int Count => Types.Length;

    public static Type Get(int number) => Types[number];

    public static bool TryFind(Type type, out int number) => Numbers.TryGetValue(type, out number);

    static Dictionary<Type, int> MakeNumbers()
    {
        var numbers = new Dictionary<Type, int>(Types.Length);
        for (var i = 0; i < Types.Length; i++)
            numbers.Add(Types[i], i);
        return numbers;
    }
}
