using System.Diagnostics;
using System.Reflection;

namespace Skein.Tests.Mobility;

public class MobileCallTests
{
    static async Mobile<int> Add(int x, int y) => x + y;

    static async Mobile<int> Sum(int count)
    {
        var sum = 0;
        for (var i = 0; i < count; i++)
            sum = await Add(sum, i);
        return sum;
    }

    static int Ended(Mobile<int> call) => call.GetAwaiter().GetResult();

    [Fact]
    public void A_call_that_does_not_wait_allocates_nothing_and_needs_no_process()
    {
        var debug = typeof(MobileCallTests).Assembly.GetCustomAttribute<DebuggableAttribute>()?.IsJITOptimizerDisabled == true;
        Assert.SkipWhen(debug, "in debug builds a state machine is an object");
        Assert.Equal(4950, Ended(Sum(100)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = Ended(Sum(10_000));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(49_995_000, sum);
    }

    [Fact]
    public async Task A_call_can_be_awaited_more_than_once_and_by_several()
    {
        var node = new MobileNode("a");
        var process = node.Start(static async () =>
        {
            var number = Here.Receive<int>();

            async Mobile<int> Use(int factor) => await number * factor;

            var uses = Mobile.WhenAll(Use(1), Use(2), Use(3));
            return $"{string.Join(' ', await uses)} {await number} {await number}";
        });
        process.Send(7);
        Assert.Equal("7 14 21 7 7", await process.Completion.Within());
    }

    [Fact]
    public async Task All_calls_end_before_the_failure_of_one_is_thrown()
    {
        var log = new List<string>();
        static async Mobile Fail()
        {
            await Here.Yield();
            throw new InvalidDataException("failed");
        }

        async Mobile Work()
        {
            for (var i = 0; i < 5; i++)
                await Here.Yield();
            log.Add("worked");
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => new MobileNode("a").Start(() => Mobile.WhenAll(Fail(), Work(), Fail())).Completion.Within());
        Assert.Equal(["worked"], log);
    }
}
