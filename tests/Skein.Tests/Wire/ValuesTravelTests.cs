using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Skein.Tests;

public class ValuesTravelTests
{
    enum Colour : short { Red = -3, Blue = 900 }

    sealed record Person(string Name, int Age, Person? Friend = null);

    readonly record struct Point(int X, long Y);

    struct Secret(string word, bool on)
    {
        readonly string _word = word;
        readonly bool _on = on;
        public int? Number { get; set; }
        public readonly override string ToString() => $"{_word} {_on} {Number}";
    }

    class Base(int hidden)
    {
        int _value = hidden;
        public int BaseValue => _value;
        public void Touch() => _value++;
    }

    sealed class Derived(int hidden, string own) : Base(hidden)
    {
        readonly string _value = own;
        public string OwnValue => _value;
    }

    sealed class Empty;

    struct Nothing;

    static void Same<T>(T value) => Assert.Equal(value, Connection.Copy(value));

    [Fact]
    public void Simple_values_arrive_as_they_were()
    {
        Same(0); Same(-1); Same(int.MinValue); Same(int.MaxValue); Same(long.MinValue); Same(ulong.MaxValue); Same(uint.MaxValue);
        Same((short)-7); Same(ushort.MaxValue); Same('\uD800'); Same((sbyte)-1); Same((byte)255); Same(true); Same(false);
        Same(1.5f); Same(double.NaN); Same(double.NegativeInfinity); Same(-79228162514264337593543950335m); Same(0.1m);
        Same(Guid.NewGuid()); Same(Int128.MinValue); Same(UInt128.MaxValue); Same((Half)1.5); Same(new BigInteger(-5)); Same(BigInteger.Pow(7, 300));
        Same(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)); Same(DateTime.MaxValue); Same(new DateOnly(2024, 2, 29)); Same(new TimeOnly(1, 2, 3));
        Same(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromMinutes(-330))); Same(TimeSpan.MinValue);
        Assert.Equal(DateTimeKind.Local, Connection.Copy(new DateTime(5, DateTimeKind.Local)).Kind);
        Same(Colour.Blue); Same((Colour?)Colour.Red); Same((int?)null); Same((int?)5); Same((Guid?)Guid.NewGuid());
        Same((1, "a", 2.5)); Same(Tuple.Create(1, "x")); Same(new Point(1, 2)); Same(new Complex(1, 2)); Same(new Vector3(1, 2, 3)); Same(1..^2);
        Same(new Uri("http://example.org/a b?c")); Same(new Version(1, 2, 3)); Same(CultureInfo.InvariantCulture); Same(typeof(List<int>)); Same(typeof(Dictionary<,>));
        Same(typeof(Person)); Same(typeof(Point[,])); Assert.Equal("abc", Connection.Copy(new StringBuilder("abc")).ToString());
        Same(""); Same("plain"); Same("na\u00efve"); Same("\u4f60\u597d \U0001F600"); Same("\uD800 alone"); Same(new string('x', 100_000)); Same((string?)null);
        Assert.Equal("w True 5", Connection.Copy(new Secret("w", true) { Number = 5 }).ToString());
        Assert.Equal(new Rune('x'), Connection.Copy(new Rune('x')));
    }

    [Fact]
    public void An_address_stays_absolute_or_relative()
    {
        Uri[] addresses = [new("/tmp/x"), new("/tmp/x", UriKind.Relative), new("file:///tmp/x"), new("a/b?c", UriKind.Relative), new(new Uri("http://example.org/a/"), "../b c")];
        foreach (var address in addresses)
        {
            var copy = Connection.Copy(address);
            Assert.Equal((address.IsAbsoluteUri, address.OriginalString), (copy.IsAbsoluteUri, copy.OriginalString));
            Assert.Equal(address, copy);
        }
    }

    [Fact]
    public void A_culture_arrives_by_its_name_and_one_that_was_changed_is_refused()
    {
        Same(CultureInfo.CurrentCulture);
        Same(Culture());
        Assert.Equal(CultureInfo.InvariantCulture.NumberFormat.NumberDecimalSeparator, Connection.Copy(Culture()).NumberFormat.NumberDecimalSeparator);
        Refused(static culture => culture.NumberFormat.NumberDecimalSeparator = ",");
        Refused(static culture => culture.NumberFormat.NumberGroupSizes = [2, 3]);
        Refused(static culture => culture.DateTimeFormat.ShortDatePattern = "d.M.yyyy");
        Refused(static culture => culture.DateTimeFormat.SetAllDateTimePatterns([.. culture.DateTimeFormat.GetAllDateTimePatterns('d'), "d.M.yyyy"], 'd'));
        Refused(static culture => culture.TextInfo.ListSeparator = ";");

        static CultureInfo Culture() => (CultureInfo)CultureInfo.InvariantCulture.Clone();

        static void Refused(Action<CultureInfo> change)
        {
            var culture = Culture();
            change(culture);
            Assert.Contains("this one was changed", Assert.Throws<CannotTravelException>(() => Connection.Copy(culture)).Message, StringComparison.Ordinal);
            Assert.Throws<CannotTravelException>(() => Connection.Copy(CultureInfo.ReadOnly(culture)));
        }
    }

    unsafe struct Flags
    {
        public fixed bool On[8];
        public fixed char Word[4];
        public int Number;

        public static bool AreSame(Flags one, Flags other) =>
            new Span<bool>(one.On, 8).SequenceEqual(new Span<bool>(other.On, 8)) && new Span<char>(one.Word, 4).SequenceEqual(new Span<char>(other.Word, 4)) && one.Number == other.Number;
    }

    [Fact]
    public unsafe void Buffers_of_fixed_size_arrive_whole()
    {
        var flags = new Flags { Number = 5 };
        flags.On[2] = flags.On[7] = true;
        flags.Word[3] = 'x';
        Assert.True(Flags.AreSame(flags, Connection.Copy(flags)));
        foreach (var copy in Connection.Copy(Enumerable.Repeat(flags, 2 * FieldSet.HotAfter).ToArray()))   // the later ones by emitted code
            Assert.True(Flags.AreSame(flags, copy));
    }

    [Fact]
    public void Objects_arrive_with_their_private_fields()
    {
        Same(new Person("Ann", 5, new Person("Bob", 6)));
        var derived = Connection.Copy<Base>(new Derived(7, "own"));
        derived.Touch();
        Assert.Equal(8, derived.BaseValue);
        Assert.Equal("own", Assert.IsType<Derived>(derived).OwnValue);
        Assert.Equal(new { A = 1, B = "x" }, Connection.Copy(new { A = 1, B = "x" }));
        Assert.IsType<Empty>(Connection.Copy<object>(new Empty()));
        Assert.Equal(typeof(object), Connection.Copy(new object()).GetType());
        Assert.Equal(3, Connection.Copy(new Nothing[3]).Length);
    }

    [Fact]
    public void Boxes_arrive_with_their_type()
    {
        foreach (var value in new object[] { 5, 5L, 'x', 2.5m, Colour.Red, new Point(3, 4), (1, 2), DateTime.MinValue, true, new Secret("a", false) })
        {
            var copy = Connection.Copy(value);
            Assert.Equal(value.GetType(), copy.GetType());
            Assert.Equal(value.ToString(), copy.ToString());
        }
        var box = (object)5;
        var pair = Connection.Copy(new[] { box, box });
        Assert.Same(pair[0], pair[1]);
    }

    [Fact]
    public void Shared_objects_stay_shared_and_cycles_closed()
    {
        var shared = new List<int> { 1 };
        var copy = Connection.Copy(new[] { shared, shared, [1] });
        Assert.Same(copy[0], copy[1]);
        Assert.NotSame(copy[0], copy[2]);

        var cycle = new object[2];
        cycle[0] = cycle;
        cycle[1] = new List<object> { cycle };
        var again = Connection.Copy(cycle);
        Assert.Same(again, again[0]);
        Assert.Same(again, ((List<object>)again[1])[0]);
    }

    sealed class Node
    {
        public Node? Next;
        public int Value;
    }

    [Fact]
    public void A_cyclic_list_of_a_million_nodes_arrives()
    {
        const int Count = 1_000_000;
        var first = new Node();
        var last = first;
        for (var i = 1; i < Count; i++)
            last = last.Next = new() { Value = i };
        last.Next = first;

        var copy = Connection.Copy(first);
        var at = copy;
        for (var i = 0; i < Count; i++, at = at!.Next)
            Assert.Equal(i, at!.Value);
        Assert.Same(copy, at);
    }

    [Fact]
    public void Arrays_of_every_shape_arrive()
    {
        Same(new[] { 1, 2, 3 }); Same(Array.Empty<string>()); Same(new string?[] { "a", null, "a" }); Same(new[] { new Point(1, 2), new Point(3, 4) });
        Same(new int[][] { [1], [], [2, 3] }); Same(new[,] { { 1, 2 }, { 3, 4 } }); Same(new string[1, 2, 2]); Same(new[] { true, false }); Same(new[] { 1.5m, 2m });
        Same(new DateTime[] { new(2020, 1, 1), default }); Same(new int?[] { 1, null }); Same(new byte[0, 5]); Same(new object?[] { 1, "x", null });
        Same(Enumerable.Range(0, 100_000).ToArray()); Same(Enumerable.Range(0, 5000).Select(i => new Person($"{i}", i)).ToArray());
        Same(Enumerable.Range(0, 5000).Select(i => (i, $"{i}", (long?)i)).ToArray());
        Array covariant = Connection.Copy<object[]>(new string[] { "a" });
        Assert.IsType<string[]>(covariant);
        var buffer = new Buffer();
        buffer[2] = "two";
        Assert.Equal("two", Connection.Copy(buffer)[2]);
    }

    [System.Runtime.CompilerServices.InlineArray(4)]
    struct Buffer
    {
        string? _first;
    }

    sealed class ByLength : IComparer<string>, IEqualityComparer<string>
    {
        public int Compare(string? x, string? y) => x!.Length - y!.Length;
        public bool Equals(string? x, string? y) => Compare(x, y) == 0;
        public int GetHashCode(string s) => s.Length;
    }

    // As the last thing in a message: what bounds their counts then is only what they themselves have written.
    [Fact]
    public void Small_collections_of_every_kind_of_value_arrive_alone()
    {
        Each<byte>(0, 1); Each<sbyte>(0, -1); Each<short>(0, -1); Each<ushort>(0, 1); Each(0, -1); Each(0u, 1u); Each(0L, -1L); Each(0ul, 1ul); Each('a', 'b');
        Each(0f, 1.5f); Each(0d, 1.5d); Each(false, true); Each(DayOfWeek.Sunday, DayOfWeek.Friday); Each(0m, 1.5m); Each(Guid.Empty, Guid.NewGuid());
        Each(default, DateTime.UnixEpoch); Each(default, TimeSpan.MaxValue); Each("", "x"); Each((1, "x"), (2, "y"));
    }

    static void Each<T>(T one, T other) where T : notnull
    {
        T[] both = [one, other];
        Same(both); Same(new T[][] { both, [other, one] }); Same(both.ToList()); Same(both.ToHashSet()); Same(new Queue<T>(both)); Same(new Stack<T>(both)); Same(new LinkedList<T>(both)); Same(new SortedSet<T>(both));
        Same(new ConcurrentQueue<T>(both)); Same(new ConcurrentStack<T>(both)); Same(both.ToImmutableArray()); Same(both.ToImmutableList()); Same(both.ToImmutableSortedSet());
        Same(both.ToDictionary(each => each)); Same(new SortedDictionary<T, T>(both.ToDictionary(each => each))); Same(new SortedList<T, T>(both.ToDictionary(each => each)));
        Assert.Equal(2, Connection.Copy(new ConcurrentBag<T>(both)).Count);
        Assert.True(Connection.Copy(both.ToImmutableHashSet()).SetEquals(both));
        Assert.True(Connection.Copy(both.ToFrozenSet()).SetEquals(both));
        Assert.Equal(other, Connection.Copy(new ConcurrentDictionary<T, T>(both.ToDictionary(each => each)))[other]);
        Assert.Equal(other, Connection.Copy(both.ToImmutableDictionary(each => each))[other]);
        Assert.Equal(other, Connection.Copy(both.ToFrozenDictionary(each => each))[other]);
        Assert.Equal(other, Connection.Copy(new T[1, 2] { { one, other } })[0, 1]);
    }

    [Fact]
    public void Collections_arrive_and_work()
    {
        string[] words = ["one", "three", "five", "eleven"];
        Same(words.ToList()); Same(new Queue<string>(words)); Same(new Stack<string>(words)); Same(new LinkedList<string>(words)); Same(new HashSet<string>(words));
        Same(new SortedSet<string>(words)); Same(words.ToDictionary(w => w, w => w.Length)); Same(new SortedDictionary<string, int>(words.ToDictionary(w => w, w => w.Length)));
        Same(new SortedList<string, int>(words.ToDictionary(w => w, w => w.Length))); Same(new ConcurrentQueue<string>(words)); Same(new ConcurrentStack<string>(words));
        Same(words.ToImmutableArray()); Same(words.ToImmutableList()); Same(words.ToImmutableSortedSet()); Same(ImmutableQueue.Create(words));
        Same(ImmutableStack.Create(words)); Same(words.ToImmutableSortedDictionary(w => w, w => w.Length)); Same(new ReadOnlyCollection<string>(words)); Same(new Collection<string>(words));
        Same(new BitArray([true, false, true])); Same(new ArrayList { 1, "x" }); Same(new ReadOnlyDictionary<string, int>(words.ToDictionary(w => w, w => 1)));
        Same(new ObservableWords { "x" });

        var dictionary = Connection.Copy(words.ToDictionary(w => w, w => w.Length, StringComparer.OrdinalIgnoreCase));
        Assert.Equal(6, dictionary["ELEVEN"]);
        var concurrent = Connection.Copy(new ConcurrentDictionary<string, int>(words.Select(w => KeyValuePair.Create(w, w.Length)), StringComparer.OrdinalIgnoreCase));
        Assert.Equal(6, concurrent["Eleven"]);
        var immutable = Connection.Copy(words.ToImmutableDictionary(w => w, w => w.Length));
        Assert.Equal(6, immutable["eleven"]);
        Assert.Equal(5, immutable.Add("more", 1).Count);
        Assert.True(Connection.Copy(words.ToImmutableHashSet(new ByLength())).IsSupersetOf(["123456"]));
        var frozen = Connection.Copy(words.ToFrozenDictionary(w => w, w => w.Length));
        Assert.Equal(6, frozen["eleven"]);
        Assert.True(Connection.Copy(words.ToFrozenSet()).IsSupersetOf(["five"]));
        Assert.True(Connection.Copy(new[] { 1, 5, 9 }.ToFrozenSet()).IsSupersetOf([5]));
        Assert.Equal(4, Connection.Copy(new ConcurrentBag<string>(words)).Count);
        Assert.Equal(4, Connection.Copy(new HashSet<string>([.. words, "six"], new ByLength())).Count);
        Assert.True(Connection.Copy(new SortedSet<string>(words, new ByLength())).IsSupersetOf(["xxx"]));
        Assert.True(Connection.Copy(new SortedSet<string>(words, Comparer<string>.Create((a, b) => a.Length - b.Length))).IsSupersetOf(["xxx"]));

        var heap = Connection.Copy(new PriorityQueue<string, int>(words.Select(w => (w, -w.Length))));
        Assert.Equal("eleven", heap.Dequeue());
        var list = new LinkedList<int>([1, 2, 3]);
        var node = Connection.Copy(list.Find(2)!);
        Assert.Equal([1, 2, 3], node.List!);
    }

    sealed class ObservableWords : List<string>;

    sealed record Key(int Id, string Name);

    struct StructKey(int id)
    {
        public int Id = id;
        public readonly override int GetHashCode() => Id * 31;
        public readonly override bool Equals(object? other) => other is StructKey key && key.Id == Id;
    }

    [Fact]
    public void Collections_with_keys_of_the_application_find_them_again()
    {
        var key = new Key(1, "x");
        Assert.Equal("found", Connection.Copy(new Dictionary<Key, string> { [key] = "found" })[key]);
        Assert.Equal("found", Connection.Copy(new Dictionary<StructKey, string> { [new(4)] = "found" })[new(4)]);
        Assert.Contains(key, Connection.Copy(new HashSet<Key> { key, new(2, "y") }));
        Assert.Equal(7, Connection.Copy(new ConcurrentDictionary<Key, int> { [key] = 7 })[key]);
        Assert.Equal(7, Connection.Copy(ImmutableDictionary<Key, int>.Empty.Add(key, 7))[key]);
        Assert.True(Connection.Copy(ImmutableHashSet.Create(key)).IsSupersetOf([key]));
        Assert.Equal(7, Connection.Copy(new Dictionary<Key, int> { [key] = 7 }.ToFrozenDictionary())[key]);
        Assert.Equal(7, Connection.Copy(Enumerable.Range(0, 20).ToDictionary(i => new Key(i, "x"), i => i).ToFrozenDictionary())[new(7, "x")]);
        Assert.True(Connection.Copy(new StructKey[] { new(4), new(5) }.ToFrozenSet()).IsSupersetOf([new(4)]));

        var identity = new object();
        var (copied, byIdentity) = Connection.Copy((identity, new Dictionary<object, int>(ReferenceEqualityComparer.Instance) { [identity] = 3 }));
        Assert.Equal(3, byIdentity[copied]);

        var nested = Connection.Copy(new Dictionary<Key, HashSet<Key>> { [key] = [key] });
        Assert.Contains(key, nested[key]);
    }

    sealed class SameItems : IEqualityComparer<IEnumerable<Point>>
    {
        public bool Equals(IEnumerable<Point>? x, IEnumerable<Point>? y) => x!.ToHashSet().SetEquals(y!);
        public int GetHashCode(IEnumerable<Point> items) => items.Aggregate(0, static (hash, item) => hash ^ item.GetHashCode());
    }

    sealed class ByCount : IEqualityComparer<object>
    {
        bool IEqualityComparer<object>.Equals(object? x, object? y) => ReferenceEquals(x, y);
        int IEqualityComparer<object>.GetHashCode(object set) => ((HashSet<object>)set).Count;
    }

    [Fact]
    public void A_collection_that_is_a_key_is_filled_before_it_is_hashed()
    {
        var start = ImmutableHashSet.Create(new Point(1, 2));
        var (copy, seen) = Connection.Copy((start, new HashSet<ImmutableHashSet<Point>>(new SameItems()) { start }));
        Assert.Contains(copy, seen);
        var set = new HashSet<Point> { new(1, 2) };
        var (one, two, three, four) = Connection.Copy((set, new Dictionary<HashSet<Point>, int>(new SameItems()) { [set] = 2 },
            new ConcurrentDictionary<HashSet<Point>, int>(new SameItems()) { [set] = 3 }, FrozenSet.ToFrozenSet<HashSet<Point>>([set], new SameItems())));
        Assert.Equal((2, 3, true), (two[one], three[one], four.IsSupersetOf([one])));

        var byCount = new ByCount();
        var chain = new HashSet<object>[100_000];   // each is a key of the next: no stack is as deep
        for (var i = 0; i < chain.Length; i++)
        {
            chain[i] = new(byCount);
            if (i > 0)
                chain[i].Add(chain[i - 1]);
        }
        var copies = Connection.Copy(chain);
        Assert.Contains<object>(copies[^2], copies[^1]);
    }

    [Fact]
    public void Random_goes_on_with_its_sequence()
    {
        foreach (var random in new[] { new Random(5), new Random() })
        {
            random.Next();
            var copy = Connection.Copy(random);
            Assert.Equal(random.Next(), copy.Next());
            Assert.Equal(random.NextDouble(), copy.NextDouble());
        }
    }

    [Fact]
    public void Windows_on_memory_arrive_with_what_they_look_at()
    {
        var array = new[] { 1, 2, 3, 4, 5 };
        var (memory, segment, whole) = Connection.Copy((array.AsMemory(1, 3), new ArraySegment<int>(array, 2, 2), array));
        whole[2] = 33;
        Assert.Equal([2, 33, 4], memory.ToArray());
        Assert.Equal([33, 4], segment);
        Assert.Equal("ell", Connection.Copy("hello".AsMemory(1, 3)).ToString());
        Assert.True(Connection.Copy(Memory<byte>.Empty).IsEmpty);
    }

    [Fact]
    public async Task Results_that_are_there_travel()
    {
        Assert.Equal(5, await Connection.Copy(Task.FromResult(5)));
        Assert.Equal("x", await Connection.Copy(Later("x")));
        Assert.Equal(6, await Connection.Copy(new ValueTask<int>(6)));
        await Connection.Copy(Task.CompletedTask);
        var lazy = new Lazy<string>(() => "made");
        _ = lazy.Value;
        Assert.Equal("made", Connection.Copy(lazy).Value);

        static async Task<string> Later(string s)
        {
            await Task.CompletedTask;
            return s;
        }
    }

    sealed class Single
    {
        public static readonly Single Instance = new();
        public int Value = 5;
    }

    [Fact]
    public void Singletons_keep_their_identity()
    {
        Assert.Same(Single.Instance, Connection.Copy(Single.Instance));
        Assert.NotSame(Single.Instance, Connection.Copy(new Single()));
        Assert.Same(StringComparer.Ordinal, Connection.Copy(StringComparer.Ordinal));
        Assert.Same(EqualityComparer<int>.Default, Connection.Copy(EqualityComparer<int>.Default));
        Assert.Same(Comparer<string>.Default, Connection.Copy(Comparer<string>.Default));
    }
}
