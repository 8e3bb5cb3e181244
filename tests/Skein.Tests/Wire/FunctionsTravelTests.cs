namespace Skein.Tests;

public class FunctionsTravelTests
{
    static int Double(int x) => x * 2;

    static T Identity<T>(T x) => x;

    readonly int _factor = 3;

    int Scale(int x) => x * _factor;

    [Fact]
    public void Functions_of_every_kind_can_be_called()
    {
        Assert.Equal(10, Connection.Copy<Func<int, int>>(Double)(5));
        Assert.Equal(10, Connection.Copy<Func<int, int>>(static x => x * 2)(5));
        Assert.Equal("x", Connection.Copy<Func<string, string>>(Identity)("x"));
        Assert.Equal(15, Connection.Copy<Func<int, int>>(Scale)(5));
        var captured = 7;
        Assert.Equal(12, Connection.Copy<Func<int, int>>(x => x + captured)(5));
        Assert.Equal(9, Connection.Copy<Func<int, int>>(Local)(2));
        Assert.Equal(4, Connection.Copy<Func<int, int>>(StaticLocal)(2));
        Func<int, int> recursive = null!;
        recursive = n => n < 2 ? 1 : n * recursive(n - 1);
        Assert.Equal(120, Connection.Copy(recursive)(5));

        var log = new List<int>();
        Action<int> multicast = log.AddOne;
        multicast += x => log.Add(x * 10);
        var (copy, itsLog) = Connection.Copy((multicast, log));
        copy(1);
        Assert.Equal([2, 10], itsLog);
        Assert.Empty(log);
        Assert.Equal("Int32 5", Connection.Copy(Generic<int>(5))());

        int Local(int x) => x + captured;
        static int StaticLocal(int x) => x * x;
        static Func<string> Generic<T>(T value) => () => $"{typeof(T).Name} {value}";
    }

    [Fact]
    public async Task Async_lambdas_travel()
    {
        var captured = 5;
        Assert.Equal(6, await Connection.Copy<Func<int, Task<int>>>(async x =>
        {
            await Task.Yield();
            return x + captured;
        })(1));
    }

    [Fact]
    public void A_function_without_state_is_described_once_and_arrives_as_the_same_object()
    {
        var connection = new Connection();
        Func<int, int> function = static x => x + 1;
        var first = connection.Send(function);
        Assert.InRange(connection.LastLength, 20, 400);
        var second = connection.Send(function);
        Assert.InRange(connection.LastLength, 1, 3);
        Assert.Same(first, second);
        Assert.Equal(5, second(4));
    }

    [Fact]
    public void Of_a_closure_travels_what_the_function_reads()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var number = 5;
        var text = "text";
        Func<long> first = () => stream.Length;
        Func<int, int> second = x => x + number;
        Func<string> third = () => text + number;
        Assert.Equal(6, Connection.Copy(second)(1));
        Assert.Equal("text5", Connection.Copy(third)());
        var (b, c) = Connection.Copy((second, third));
        Assert.Equal(6, b(1));
        Assert.Equal("text5", c());
        Assert.Same(b.Target, c.Target);
        Assert.Throws<CannotTravelException>(() => Connection.Copy(first));
        Assert.Throws<CannotTravelException>(() => Connection.Copy(new object[] { second, second.Target! }));
    }

    [Fact]
    public async Task Inner_functions_and_state_machines_are_followed()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var (a, b, c) = (1, 2, 3);
        Func<long> unused = () => stream.Length;
        Func<Task<int>> asynchronous = async () =>
        {
            await Task.Yield();
            Func<int> inner = () => b + Local();
            return a + inner();
        };
        Func<IEnumerable<int>> iterator = Iterate;
        Assert.Equal(6, await Connection.Copy(asynchronous)());
        Assert.Equal([1, 3], Connection.Copy(iterator)());
        for (var i = 0; i < 2; i++)
        {
            var d = i;
            Func<int> nested = () => a + d;
            Func<long> alsoUnused = () => stream.Length + d;
            Assert.Equal(1 + i, Connection.Copy(nested)());
            var (x, y) = Connection.Copy((nested, asynchronous));
            Assert.Equal(1 + i, x());
            Assert.Equal(6, await y());
            GC.KeepAlive(alsoUnused);
        }
        GC.KeepAlive(unused);

        int Local() => c;
        IEnumerable<int> Iterate()
        {
            yield return a;
            yield return c;
        }
    }

    [Fact]
    public void Iterators_and_enumerators_go_on_where_they_were()
    {
        GoesOn(Words());
        GoesOn(new List<string> { "a", "b", "c", "d" });
        GoesOn(new[] { "a", "b", "c", "d" });
        GoesOn(new Queue<string>(["a", "b", "c", "d"]));
        GoesOn(new Stack<string>(["a", "b", "c", "d"]));
        GoesOn(new LinkedList<string>(["a", "b", "c", "d"]));
        GoesOn(new SortedSet<string>(["a", "b", "c", "d"]));
        GoesOn(new HashSet<string>(["a", "b", "c", "d"]));
        var holes = Enumerable.Range(0, 9).ToDictionary(i => $"{i}", i => i);
        holes.Remove("0");
        holes.Remove("5");
        GoesOn(holes);
        GoesOn(holes.Keys);
        GoesOn(holes.Values);
        GoesOn(new SortedDictionary<string, int>(holes));
        GoesOn(new SortedList<string, int>(holes));
        GoesOn(Words().Where(w => w != "b").Select(w => w + w));
        GoesOn(new List<int> { 1, 2, 3, 4 }.Where(static x => x != 2).Select(static x => x * 2));
        GoesOn(Enumerable.Range(0, 5));
        GoesOn(Words().Concat(Words()).Skip(1).Take(5));
        GoesOn(Words().OrderByDescending(static w => w));
        GoesOn("text");
        GoesOn(Words().SelectMany(static w => w + w));
        GoesOn(Words().Chunk(2));
        GoesOn(Words().Distinct());
        GoesOn(Words().Zip(Words()));

        static void GoesOn<T>(IEnumerable<T> source)
        {
            var enumerator = source.GetEnumerator();
            Assert.True(enumerator.MoveNext());
            Assert.True(enumerator.MoveNext());
            var copy = Connection.Copy(enumerator);
            Assert.Equal(enumerator.Current, copy.Current);
            bool more;
            do
            {
                more = enumerator.MoveNext();
                Assert.Equal(more, copy.MoveNext());
                if (more)
                    Assert.Equal(enumerator.Current, copy.Current);
            }
            while (more);
            Assert.Equal(source, Connection.Copy(source));
        }

        static IEnumerable<string> Words()
        {
            foreach (var word in new List<string> { "a", "b", "c", "d" })
                yield return word;
        }
    }

    [Fact]
    public void A_group_arrives_alone()
    {
        var groups = new[] { 1, 2, 3, 4 }.GroupBy(x => x % 2 == 0 ? "even" : "odd").ToList();
        var copy = Connection.Copy(groups[0]);
        Assert.Equal("odd", copy.Key);
        Assert.Equal([1, 3], copy);
    }
}

static class ListExtensions
{
    public static void AddOne(this List<int> list, int x) => list.Add(x + 1);
}
