namespace Skein.Tests.Mobility;

/// <summary>Applications in two builds, of which SECOND has functions that go on with calls of the first.</summary>
static class MigrationSources
{
    public const string Shop = """
        public sealed record Order(string Id, int Amount);

        public sealed class Desk(string name)
        {
            string Name => name;

        #if SECOND
            public async Mobile<string> Serve() { var number = await Here.Event<int>("serve"); return $"{name} {number} anew"; }

            [Migrates("Serve", 1)]
            static async Mobile<string> ServeBefore(Mobile<int> awaited, Desk @this, int served) => $"{@this.Name} {served + await awaited} second";
        #else
            public async Mobile<string> Serve() { var served = 3; var number = await Here.Event<int>("serve"); return $"{name} {served + number} first"; }
        #endif
        }

        public static class Flow
        {
            public static async Mobile<string> Run()
            {
                var texts = new List<string>();
                var filling = Fill(texts);
                texts.AddRange(await Mobile.WhenAll(Step(new("o1", 10)), new Desk("desk").Serve()));
                await filling;
                return string.Join(", ", texts);
            }

        #if SECOND
            static Mobile<string> Step(Order order) => Step(order, 40, Here.Event<string>("one"));

            static async Mobile<string> Step(Order order, int kept, Mobile<string> begun)
            {
                Func<int> more = () => ++kept;
                var one = await begun;
                return $"{one} {await Here.Event<string>("two")} {more()} {order.Id} second";
            }

            [Migrates("Step", 1)]
            static Mobile<string> StepAtOne(Mobile<string> awaited, Order order, int kept) => Step(order, kept, awaited);

            [Migrates("Step", 2)]
            static async Mobile<string> StepAtTwo(Mobile<string> awaited, string one, int kept) => $"{one} {await awaited} {kept} was at two";

            static async Mobile Fill(List<string> texts) { await Here.Delay(TimeSpan.FromMinutes(1)); texts.Add("anew"); }

            [Migrates("Fill", 1)]
            static async Mobile FillBefore(Mobile awaited, List<string> texts) { await awaited; texts.Add("second"); }
        #else
            static async Mobile<string> Step(Order order)
            {
                var kept = 40;
                Func<int> more = () => ++kept;
                var one = await Here.Event<string>("one");
                var two = await Here.Event<string>("two");
                return $"{one} {two} {more()} {order.Id} first";
            }

            static async Mobile Fill(List<string> texts) { await Here.Delay(TimeSpan.FromMinutes(5)); texts.Add("first"); }
        #endif
        }
        """;

    public const string Failing = """
        public static class Flow
        {
            public static async Mobile<string> Run()
            {
                var text = string.Join(" ", await Mobile.WhenAll(Wait("one"), Wait("two"))) + (Here.Get<string>("set") ?? " unset ") + await Here.Receive<string>();
                await Here.Checkpoint();   // after all that was stored before
                return text;
            }

        #if SECOND
            public static bool Ran;
            static int _calls;

            static async Mobile<string> Wait(string name) => await Here.Event<string>(name) + " second";

            [Migrates("Wait", 1)]
            static async Mobile<string> WaitBefore(Mobile<string> awaited, string name)
            {
                Here.Set("set", " set");
                if (_calls == 0)
                    await Here.Receive<string>();
                Listen(Here.Delay(TimeSpan.FromDays(1)));
                Listen(Here.MoveTo("nowhere"));
                Listen(Here.Checkpoint());
                var gate = Here.Resource<Task>("gate");
                var begun = Here.Resource<System.Threading.SemaphoreSlim>("begun");
                Listen(Here.Restartable(async token => { begun.Release(); await gate; return 1; }));
                Outside(gate);
                if (++_calls == 2)
                    throw new InvalidOperationException("on purpose");
                return await awaited + " second";
            }

            static async Mobile Listen<T>(Mobile<T> call) { await call; Ran = true; }

            static async Mobile Listen(Mobile call) { try { await call; } finally { Ran = true; } }

            static async Mobile Outside(Task task) { await task; Ran = true; }
        #else
            static async Mobile<string> Wait(string name) { var mail = await Here.Event<string>(name); return $"{mail} first"; }
        #endif
        }
        """;

    public const string Odd = """
        public static class Flow
        {
            // The exceptions of what goes on are those of the call.
            public static async Mobile<string> Late()
            {
                try
                {
                    return await Fail();
                }
                catch (InvalidOperationException e)
                {
                    return e.Message;
                }
            }

            // In the queue of those that can run.
            public static async Mobile<string> Busy() => await Count();

            // It has ended, and is only held.
            public static async Mobile<string> Held()
            {
                var ended = Soon();
                await Here.Yield();
                await Here.Yield();
                var more = await Here.Event<string>("go");
                return await ended + more;
            }

            // Two lambdas have captured something, and only one of them is still to be called.
            public static async Mobile<string> Lambdas()
            {
                var (kept, unread) = (40, 7);
                Func<int> more = () => ++kept, other = () => ++unread;
                other();
                var mail = await Here.Event<string>("go");
        #if SECOND
                return $"{mail} {more()} second";
            }

            [Migrates("Lambdas", 1)]
            static Mobile<string> LambdasBefore(Mobile<string> awaited, int unread) => awaited;

        #else
                return $"{mail} {more()} first";
            }

        #endif
            // A lambda that came from elsewhere has captured something there.
            public static async Mobile<string> Foreign()
            {
                var secret = 40;
                return await Inner(() => ++secret);
            }

        #if SECOND
            static async Mobile<string> Inner(Func<int> more) { return $"{await Here.Event<string>("go")} {more()} second"; }

            [Migrates("Inner", 1)]
            static Mobile<string> InnerBefore(Mobile<string> awaited, int secret) => awaited;

            // It begins with waits of its own.
            public static Mobile<string> Moves() => default;

            [Migrates("Moves", 1)]
            static async Mobile<string> MovesBefore(Mobile<string> awaited)
            {
                await Here.MoveTo("b");
                return Here.Node!;
            }

            public static Mobile<string> Sleeps() => default;

            [Migrates("Sleeps", 1)]
            static async Mobile<string> SleepsBefore(Mobile<string> awaited)
            {
                await Here.Delay(TimeSpan.FromMinutes(5));
                return "slept";
            }

            public static Mobile<string> Hangs() => default;

            [Migrates("Hangs", 1)]
            static async Mobile<string> HangsBefore(Mobile<string> awaited)
            {
                Here.Resource<Action>("hang")();
                return await awaited;
            }

            static Mobile<string> Fail() => default;

            [Migrates("Fail", 1)]
            static async Mobile<string> FailBefore(Mobile<string> awaited) => throw new InvalidOperationException(await awaited + " second");

            static Mobile<string> Count() => default;

            [Migrates("Count", 1)]
            static async Mobile<string> CountBefore(Mobile awaited, long turns)
            {
                await awaited;
                return $"{turns >= 0} second";
            }

            static async Mobile<string> Soon() { await Here.Yield(); return "another "; }

            // What the process was started with, without another wait.
            public static Mobile<string> Whole() => default;

            [Migrates("Whole", 1)]
            static async Mobile<string> WholeBefore(Mobile<string> awaited) => "whole";
        #else
            static async Mobile<string> Inner(Func<int> more) { var mail = await Here.Event<string>("go"); return $"{mail} {more()} first"; }

            public static async Mobile<string> Moves() => await Here.Event<string>("go") + " first";

            public static async Mobile<string> Sleeps() => await Here.Event<string>("go") + " first";

            public static async Mobile<string> Hangs() => await Here.Event<string>("go") + " first";

            static async Mobile<string> Fail() => await Here.Event<string>("go") + " first";

            static async Mobile<string> Count()
            {
                for (var turns = 0L; ; turns++)
                    await Here.Yield();
            }

            static async Mobile<string> Soon() { await Here.Yield(); return "soon "; }

            public static async Mobile<string> Whole() => await Here.Event<string>("go") + " first";
        #endif
        }
        """;
}
