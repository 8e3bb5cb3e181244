using System.Runtime.ExceptionServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The one thread that makes children that shall die with this process. The kernel's notice of a parent's death (PR_SET_PDEATHSIG)
/// is about the <em>thread</em> that made the child, so this one lives as long as the process.
/// </summary>
[SupportedOSPlatform("linux")]
static class SpawnThread
{
    static readonly Queue<Order> Orders = Start();

    /// <summary>Runs a table on the thread and waits for it.</summary>
    public static (int Id, int Descriptor) Run(SystemCallTable table, string subject, int group)
    {
        var order = new Order(table, subject, group);
        lock (Orders)
        {
            Orders.Enqueue(order);
            Monitor.Pulse(Orders);
        }

        return order.Result();
    }

    static Queue<Order> Start()
    {
        var orders = new Queue<Order>();
        new Thread(() => Serve(orders), 256 * 1024) { IsBackground = true, Name = "Skein spawner" }.Start();
        return orders;
    }

    static void Serve(Queue<Order> orders)
    {
        while (true)
        {
            Order order;
            lock (orders)
            {
                while (orders.Count == 0)
                    Monitor.Wait(orders);
                order = orders.Dequeue();
            }

            order.Execute();
        }
    }

    /// <summary>A table to run while the caller waits.</summary>
    sealed class Order(SystemCallTable table, string subject, int group)
    {
        ExceptionDispatchInfo? _error;
        (int, int)? _result;

        public void Execute()
        {
            (int, int)? result = null;
            try
            {
                result = table.Run(subject, group);
            }
            catch (Exception e)
            {
                // Thrown again in the caller; this thread serves everybody and must not end.
                _error = ExceptionDispatchInfo.Capture(e);
            }

            lock (this)
            {
                _result = result ?? (0, -1);
                Monitor.Pulse(this);
            }
        }

        public (int Id, int Descriptor) Result()
        {
            lock (this)
            {
                while (_result is null)
                    Monitor.Wait(this);
            }

            _error?.Throw();
            return _result.Value;
        }
    }
}
