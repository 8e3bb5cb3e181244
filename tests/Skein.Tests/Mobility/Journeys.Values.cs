using System.Numerics;
using System.Text;

namespace Skein.Tests.Mobility;

static partial class Journeys
{
    public sealed class Link
    {
        public int Value;
        public Link? Next;
    }

    public static async Mobile<string> Locals_of_all_kinds()
    {
        var ann = new Person("Ann", 30, Colour.Green);
        ann.Friend = new Person("Bob", 40, Colour.Red) { Friend = ann };
        object[] boxes = [1, 2L, 3.5, 4m, 'c', true, "s", Colour.Green, new Point(1, 2), DateTime.UnixEpoch, Guid.Empty, ann, null!, typeof(Person)];
        var shared = new List<object> { ann, boxes, ann };
        var grid = new int[2, 3];
        grid[1, 2] = 6;
        int[][] jagged = [[1], [2, 3]];
        var key = new object();
        var byIdentity = new Dictionary<object, int> { [key] = 77 };
        var byName = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["Key"] = 1 };
        var tuple = (Number: 1, Text: "t", Where: new Point(3, 4));
        int? some = 5;
        int? none = null;
        Point? point = new(9, 9);
        var mixed = new Mixed { Text = "m", Where = new(5, 6), Anything = ann };
        mixed.Hide(13);
        object boxed = new Mixed { Text = "boxed" };
        var date = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var offset = new DateTimeOffset(date.Ticks, TimeSpan.FromHours(2));
        var big = BigInteger.Pow(7, 30);
        Int128 wide = Int128.MaxValue - 5;
        var builder = new StringBuilder("built");
        var memory = new byte[] { 1, 2, 3, 4 }.AsMemory(1, 2);
        var odd = "a\ud800b";
        var random = new Random(7);
        random.Next();
        var ended = Task.FromResult(55);
        var error = new OddException("kept", 3);
        var first = new Link();
        for (var (i, link) = (1, first); i < 10_000; i++, link = link.Next)
            link.Next = new() { Value = i };

        await Hop();

        var length = 0;
        for (var link = first; link is not null && link.Value == length; link = link.Next)
            length++;
        var expected = new Random(7);
        expected.Next();
        return string.Join(' ',
            ReferenceEquals(ann.Friend!.Friend, ann), ReferenceEquals(shared[0], shared[2]), ReferenceEquals(shared[1], boxes), ReferenceEquals(boxes[11], ann),
            string.Join(',', boxes[..9]), boxes[12] is null, boxes[13], grid[1, 2], jagged[1][1], byIdentity[key], byName["KEY"], tuple.Text, tuple.Where.Y,
            some, none is null, point!.Value.X, mixed.Text, mixed.Hidden, ReferenceEquals(mixed.Anything, ann), ((Mixed)boxed).Text,
            date.Kind, date.Ticks, offset.Offset, big, wide, builder.Append('!'), memory.Span[0], memory.Length, odd.Length, odd[1] == '\ud800',
            random.Next() == expected.Next(), await ended, error.Code, error.Message, length);
    }

    public static async Mobile<string> Values_that_all_functions_share()
    {
        static async Mobile Remember()
        {
            await Hop();
            Here.Set("count", Here.Get<int>("count") + 1);
        }

        Here.Set("count", 5);
        Here.Set("who", new Person("Ann", 1, Colour.Red));
        await Remember();
        await Hop();
        await Remember();
        return $"{Here.Get<int>("count")} {Here.Get<Person>("who")!.Name} {Here.Get<string>("nothing") is null}";
    }

    public static async Mobile<string> Ordinary_tasks_before_and_after()
    {
        var x = await Task.Run(static () => 5).ConfigureAwait(false);
        var y = await ValueTask.FromResult(6);
        await Task.Yield();
        await Hop();
        var z = await Task.Run(static () => 7);
        await Task.Yield();
        await Hop();
        return $"{x + y + z}";
    }

    public static async Mobile<string> Concurrent_calls()
    {
        var log = new List<string>();

        async Mobile<int> Walk(string name, int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                log.Add($"{name}{i}");
                await Here.Yield();
            }
            return steps;
        }

        async Mobile Travel()
        {
            await Hop();
            log.Add("travelled");
        }

        var walks = Mobile.WhenAll(Walk("x", 3), Walk("y", 2));
        await Travel();
        var counts = await walks;
        var first = await Mobile.WhenAny(Walk("slow", 5), Walk("quick", 1));
        await Mobile.WhenAll(Travel(), Travel());
        log.RemoveAll(static entry => entry[0] is 'x' or 'y');   // how these mix with a move is not promised
        return $"{string.Join(',', counts)} {first} {log.Count(static entry => entry == "travelled")}";
    }
}
