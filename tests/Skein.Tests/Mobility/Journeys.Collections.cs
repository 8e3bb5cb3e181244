using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;

namespace Skein.Tests.Mobility;

static partial class Journeys
{
    /// <summary>Hops in each iteration, through the enumerator that the loop got as an interface.</summary>
    static async Mobile<string> Each<T>(IEnumerable<T> items)
    {
        var text = "";
        foreach (var item in items)
        {
            await Hop();
            text += item + ",";
        }
        return text;
    }

    public static async Mobile<string> Foreach_over_lists_arrays_and_texts()
    {
        var text = "";
        foreach (var item in new List<int> { 1, 2, 3 })
        {
            await Hop();
            text += item;
        }
        foreach (var item in new[] { "x", "y" })
        {
            await Hop();
            text += item;
        }
        foreach (var letter in "str")
        {
            await Hop();
            text += letter;
        }
        foreach (var item in new int[2, 2] { { 1, 2 }, { 3, 4 } })
        {
            await Hop();
            text += item;
        }
        foreach (var item in new ArraySegment<int>([1, 2, 3, 4], 1, 2))
        {
            await Hop();
            text += item;
        }
        return text + await Each([1, 2]) + await Each(new List<string> { "l" }) + await Each("text");
    }

    public static async Mobile<string> Foreach_over_dictionaries_with_holes()
    {
        var text = "";
        var dictionary = new Dictionary<string, int> { ["zero"] = 0, ["one"] = 1, ["two"] = 2, ["three"] = 3 };
        dictionary.Remove("zero");
        foreach (var (key, value) in dictionary)
        {
            await Hop();
            text += key + value;
        }
        foreach (var key in dictionary.Keys)
        {
            await Hop();
            text += key[0];
        }
        foreach (var value in dictionary.Values)
        {
            await Hop();
            text += value;
        }
        var set = new HashSet<string> { "w", "x", "y", "z" };
        set.Remove("x");
        foreach (var item in set)
        {
            await Hop();
            text += item;
        }
        return text + await Each(dictionary) + await Each(dictionary.Keys) + await Each(set);
    }

    public static async Mobile<string> Foreach_over_keys_that_the_application_hashes()
    {
        var text = "";
        var dictionary = new Dictionary<Person, int> { [new("A", 1, Colour.Red)] = 1, [new("B", 2, Colour.Red)] = 2, [new("C", 3, Colour.Green)] = 3 };
        dictionary.Remove(new("A", 1, Colour.Red));
        foreach (var (key, value) in dictionary)
        {
            await Hop();
            text += key.Name + value;
        }
        var set = new HashSet<Point> { new(1, 2), new(3, 4) };
        foreach (var point in set)
        {
            await Hop();
            text += point.X;
        }
        return text + dictionary[new("C", 3, Colour.Green)] + set.Contains(new(3, 4));
    }

    public static async Mobile<string> Foreach_over_sorted_and_linked_collections()
    {
        var text = "";
        foreach (var item in new Queue<int>([1, 2, 3]))
        {
            await Hop();
            text += item;
        }
        foreach (var item in new Stack<int>([1, 2, 3]))
        {
            await Hop();
            text += item;
        }
        foreach (var item in new LinkedList<int>([1, 2, 3]))
        {
            await Hop();
            text += item;
        }
        foreach (var item in new SortedSet<int> { 3, 1, 2 })
        {
            await Hop();
            text += item;
        }
        foreach (var (key, value) in new SortedDictionary<string, int> { ["b"] = 2, ["a"] = 1 })
        {
            await Hop();
            text += key + value;
        }
        foreach (var (key, value) in new SortedList<string, int> { ["b"] = 2, ["a"] = 1 })
        {
            await Hop();
            text += key + value;
        }
        var queue = new PriorityQueue<string, int>([("later", 5), ("soon", 1)]);
        foreach (var (item, priority) in queue.UnorderedItems)
        {
            await Hop();
            text += item + priority;
        }
        return text + queue.Dequeue() + await Each(new SortedSet<int> { 9, 8 }) + await Each(new Queue<int>([4, 5])) + await Each(new LinkedList<int>([6, 7]));
    }

    public static async Mobile<string> Foreach_over_immutable_and_read_only_collections()
    {
        var text = "";
        foreach (var item in ImmutableArray.Create(1, 2, 3))
        {
            await Hop();
            text += item;
        }
        foreach (var item in new ReadOnlyCollection<int>([4, 5]))
        {
            await Hop();
            text += item;
        }
        foreach (var item in new Collection<int>([6, 7]))
        {
            await Hop();
            text += item;
        }
        foreach (var (key, value) in new ReadOnlyDictionary<string, int>(new Dictionary<string, int> { ["k"] = 1, ["l"] = 2 }))
        {
            await Hop();
            text += key + value;
        }
        var frozen = new[] { "f", "g" }.ToFrozenSet();
        var map = ImmutableDictionary.CreateRange([KeyValuePair.Create("i", 1)]);
        var concurrent = new ConcurrentDictionary<string, int> { ["c"] = 3 };
        await Hop();
        return text + frozen.Contains("g") + map["i"] + concurrent["c"] + await Each(ImmutableArray.Create("x", "y"));
    }

    public static async Mobile<string> Foreach_over_iterators_and_queries()
    {
        static IEnumerable<int> Fibonacci(int count)
        {
            var (a, b) = (0, 1);
            for (var i = 0; i < count; i++)
            {
                yield return a;
                (a, b) = (b, a + b);
            }
        }

        static IEnumerable<string> Cleaning(List<string> log)
        {
            try
            {
                foreach (var item in new List<int> { 1, 2, 3 })
                    yield return $"item {item}";
            }
            finally
            {
                log.Add("cleaned");
            }
        }

        var text = "";
        foreach (var number in Fibonacci(6))
        {
            await Hop();
            text += number + ",";
        }
        var limit = 5;
        foreach (var number in new List<int> { 5, 6, 7, 8 }.Where(n => n > limit).Select(n => n * 10).Skip(1))
        {
            await Hop();
            text += number + ",";
        }
        foreach (var item in Fibonacci(8).Where(n => n % 2 == 1).Concat([100, 200]).Zip(["a", "b", "c", "d", "e"]).Take(4))
        {
            await Hop();
            text += item.First + item.Second + ",";
        }
        foreach (var item in Enumerable.Range(1, 4).Reverse().Append(0).Distinct().SelectMany(static n => Enumerable.Repeat(n, 2)))
        {
            await Hop();
            text += item;
        }
        foreach (var group in new[] { "ax", "bx", "ay" }.GroupBy(static word => word[0]).ToList())
        {
            await Hop();
            text += $"{group.Key}:{group.Count()} ";
        }
        foreach (var chunk in Enumerable.Range(0, 5).Chunk(2))
        {
            await Hop();
            text += chunk.Length;
        }
        foreach (var word in new[] { "pear", "fig", "apple" }.OrderBy(static word => word.Length).ThenBy(static word => word))
        {
            await Hop();
            text += word;
        }
        var log = new List<string>();
        foreach (var item in Cleaning(log))
        {
            await Hop();
            text += item;
            if (item == "item 2")
                break;
        }
        return text + string.Join(',', log);
    }

    /// <summary>await foreach is a pattern: MoveNextAsync may return a Mobile.</summary>
    public sealed class Countdown(int from)
    {
        public int Current { get; private set; } = from;

        public Countdown GetAsyncEnumerator() => this;

        public async Mobile<bool> MoveNextAsync()
        {
            await Hop();
            return --Current >= 0;
        }

        public async Mobile DisposeAsync()
        {
            await Hop();
            Current = -100;
        }
    }

    public static async Mobile<string> Await_foreach_over_a_mobile_sequence()
    {
        var text = "";
        var countdown = new Countdown(4);
        await foreach (var number in countdown)
        {
            await Hop();
            text += number;
            if (number == 1)
                break;
        }
        return text + countdown.Current;
    }

    static async IAsyncEnumerable<int> Stream(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return i;
        }
    }

    public static async Mobile<string> An_async_iterator_that_has_ended()
    {
        var sum = 0;
        await foreach (var number in Stream(5))
            sum += number;
        await Hop();
        return $"{sum}";
    }
}
