namespace Skein.Tests.Mobility;

/// <summary>What a C# author writes inside of a mobile function. Each asks to hop again and again; where that is, the tests say.</summary>
static partial class Journeys
{
    public enum Colour : byte { Red, Green = 7 }

    public sealed record Person(string Name, int Age, Colour Likes)
    {
        public Person? Friend { get; set; }
    }

    public readonly record struct Point(double X, double Y);

    public struct Mixed
    {
        int _hidden;
        public string Text;
        public Point Where;
        public object? Anything;

        public readonly int Hidden => _hidden;

        public void Hide(int value) => _hidden = value;
    }

    public sealed class OddException(string message, int code) : Exception(message)
    {
        public int Code { get; } = code;
        public List<string> Trail { get; } = [];
    }

    /// <summary>To the other node; alone it only waits for its turn.</summary>
    public static Mobile Hop() => Here.Node switch
    {
        "a" => Here.MoveTo("b"),
        "b" => Here.MoveTo("a"),
        _ => Here.Yield(),
    };

    public static async Mobile<string> Nested_calls_keep_the_locals_of_each_level()
    {
        var shared = new List<int> { 1, 2, 3 };
        var text = "outer";
        var number = 10;
        var inner = await Middle(number + 1, shared);
        shared.Add(4);
        return $"{text} {number} {string.Join(',', shared)} {inner}";
    }

    static async Mobile<string> Middle(int y, List<int> shared)
    {
        var half = 2.5m;
        var words = new[] { "p", "q" };
        var (sum, where) = await Inner(y * 2);
        shared.Add(99);
        await Hop();
        return $"{half} {words[1]} {y} {sum} {where}";
    }

    static async Mobile<(int Sum, string Where)> Inner(int z)
    {
        var big = long.MaxValue - 1;
        await Hop();
        return (z + (int)(big % 7), "inner");
    }

    public static async Mobile<string> Recursion()
    {
        static async Mobile<int> Down(int depth)
        {
            if (depth == 0)
            {
                await Hop();
                return 1;
            }
            var mine = depth;
            return await Down(depth - 1) + (mine == depth ? 1 : 1000);
        }

        return $"{await Down(1000)}";
    }

    public static async Mobile<string> Generic_methods_and_classes()
    {
        var number = await Twice(21, static (x, y) => x + y);
        var text = await Twice("ab", static (x, y) => x + y);
        var point = await new Box<Point> { Item = new(1, 2) }.Take("k");
        var person = await new Box<Person> { Item = new("Zed", 3, Colour.Green) }.Take(7);
        return $"{number} {text} {point.Item1.Y} {point.Item2} {person.Item1.Name} {person.Item2}";
    }

    static async Mobile<T> Twice<T>(T value, Func<T, T, T> add)
    {
        var kept = value;
        await Hop();
        return add(kept, value);
    }

    public sealed class Box<T>
    {
        public T Item = default!;

        public async Mobile<(T, TKey)> Take<TKey>(TKey key)
        {
            var item = Item;
            await Hop();
            return (item, key);
        }
    }

    public static async Mobile<string> Try_catch_and_finally_wait_in_each()
    {
        var log = new List<string>();
        try
        {
            try
            {
                log.Add("try");
                await Hop();
                throw new OddException("boom", 42);
            }
            catch (OddException e) when (e.Code == 42 && e.Trail.Count == 0)
            {
                log.Add($"catch {e.Message} {e.Code}");
                await Hop();   // the exception travels
                e.Trail.Add("moved");
                log.Add($"caught {e.Trail[0]}");
                throw;
            }
            finally
            {
                log.Add("finally");
                await Hop();
                log.Add("finally after");
            }
        }
        catch (OddException e)
        {
            log.Add($"outer {e.Code} {e.Trail.Count}");
            await Hop();
        }
        return string.Join('|', log);
    }

    public static async Mobile<string> Failures_of_calls_are_caught_after_a_hop()
    {
        static async Mobile<int> Fails(string why)
        {
            await Hop();
            throw new OddException(why, 3);
        }

        var caught = "";
        try
        {
            await Fails("one");
        }
        catch (OddException e) when (e.Message == "one")
        {
            caught += e.Message;
        }
        var later = Fails("two");
        await Hop();
        try
        {
            await later;
        }
        catch (OddException e)
        {
            caught += e.Message + e.Code;
        }
        return caught;
    }

    public static async Mobile<string> Using_and_await_using()
    {
        var log = new List<string>();
        {
            using var outer = new Resource("outer", log);
            await using var slow = new SlowResource("slow", log);
            using (new Resource("inner", log))
            {
                await Hop();
                log.Add("body");
            }
        }
        return string.Join('|', log);
    }

    public sealed class Resource(string name, List<string> log) : IDisposable
    {
        public void Dispose() => log.Add($"disposed {name}");
    }

    public sealed class SlowResource(string name, List<string> log)
    {
        public async Mobile DisposeAsync()
        {
            await Hop();
            log.Add($"disposed {name}");
        }
    }

    public static async Mobile<string> Closures_lambdas_and_local_functions()
    {
        var captured = 1;
        Action bump = () => captured++;
        Func<Mobile<int>> slowly = async () =>
        {
            captured += 10;
            await Hop();
            captured += 100;
            return captured;
        };
        Func<int, int> factorial = null!;
        factorial = n => n <= 1 ? 1 : n * factorial(n - 1);
        Action<List<int>> both = list => list.Add(1);
        both += list => list.Add(captured);

        async Mobile<int> Local(int depth)
        {
            if (depth == 0)
            {
                await Hop();
                return captured;
            }
            var mine = depth * 1000;
            return await Local(depth - 1) + mine;
        }

        bump();
        var result = await slowly();
        bump();
        var local = await Local(3);
        await Hop();
        var list = new List<int>();
        both(list);
        bump();
        return $"{result} {captured} {local} {factorial(5)} {string.Join(',', list)}";
    }

    public abstract class Shape
    {
        readonly string _id = "shape";

        public string Id => _id;

        public abstract Mobile<double> Area();
    }

    public class Circle(double radius) : Shape
    {
        protected double Radius { get; } = radius;

        public override async Mobile<double> Area()
        {
            await Hop();
            return Math.Round(Math.PI * Radius * Radius, 3);
        }
    }

    public sealed class Ring(double radius, double hole) : Circle(radius)
    {
        public override async Mobile<double> Area()
        {
            var outer = await base.Area();
            await Hop();
            return outer - Math.Round(Math.PI * hole * hole, 3) + Radius;
        }
    }

    public static async Mobile<string> This_and_virtual_calls()
    {
        Shape[] shapes = [new Circle(1), new Ring(2, 1)];
        var areas = "";
        foreach (var shape in shapes)
            areas += $"{shape.Id} {await shape.Area():0.000} ";
        return areas;
    }

    public sealed class Mode
    {
        public static readonly Mode Fast = new("fast");
        public static readonly Mode Slow = new("slow");

        Mode(string name) => Name = name;

        public string Name { get; }
    }

    public static async Mobile<string> Singletons_stay_what_they_are()
    {
        var mode = Mode.Slow;
        Mode[] all = [Mode.Fast, mode];
        await Hop();
        return $"{ReferenceEquals(mode, Mode.Slow)} {ReferenceEquals(all[0], Mode.Fast)} {ReferenceEquals(all[1], mode)} {mode.Name}";
    }

    public static async Mobile<string> Loops_with_break_and_continue()
    {
        var text = "";
        for (var i = 0; i < 3; i++)
        {
            await Hop();
            text += i;
        }
        var k = 0;
        while (true)
        {
            if (++k > 4)
                break;
            if (k == 2)
                continue;
            await Hop();
            text += k;
        }
        do
        {
            await Hop();
            text += k--;
        }
        while (k > 3);
        switch (text.Length)
        {
            case > 3 when k < 10:
                await Hop();
                text += "!";
                break;
        }
        return text;
    }

    public static async Mobile<string> Spans_between_waits()
    {
        var buffer = new byte[16];
        await Hop();
        Fill(buffer);
        Span<int> numbers = [1, 2, 3];
        var sum = numbers[0] + numbers[2];
        await Hop();
        return $"{sum} {buffer[3]}";

        static void Fill(Span<byte> span) => span.Fill(7);
    }

    public static async Mobile<string> Expressions_that_wait_in_the_middle()
    {
        static async Mobile<int> Slowly(int value)
        {
            await Hop();
            return value;
        }

        var array = new[] { 10, 20, 30 };
        var index = 1;
        array[await Slowly(index)] += await Slowly(5);
        var text = $"{await Slowly(1)}-{array[1]}-{(await Slowly(2) > 1 ? await Slowly(3) : 0)}";
        var person = new Person("Ann", await Slowly(30), Colour.Red) { Friend = new("Bob", await Slowly(1), Colour.Green) };
        var copy = person with { Age = await Slowly(31) };
        return $"{text} {copy.Age} {copy.Friend!.Age} {await Slowly(4) + await Slowly(5) * index}";
    }
}
