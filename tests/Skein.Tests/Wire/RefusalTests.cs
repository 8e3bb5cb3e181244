using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

namespace Skein.Tests;

public class RefusalTests
{
    sealed class Logger(Stream stream)
    {
        readonly Stream _stream = stream;
        public void Log(string text) => _stream.WriteByte((byte)text.Length);
    }

    sealed class Item
    {
        public Logger? _log;
        public Dictionary<string, object> Extra { get; } = [];
    }

    static string PathOf<T>(T value)
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        var refused = Assert.Throws<CannotTravelException>(() => writer.Write(value));
        Assert.StartsWith(refused.Path, refused.Message);
        return refused.Path;
    }

    [Fact]
    public void The_message_has_the_path_to_the_culprit_in_names_of_the_source()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var logger = new Logger(stream);
        Action closure = () => logger.Log("x");
        Assert.Equal("closure.logger._stream", PathOf(closure));
        Assert.Contains("FileStream belongs to its place", Assert.Throws<CannotTravelException>(() => Connection.Copy(closure)).Message);
        Assert.Equal("value", PathOf(stream));
        Assert.Equal("value[3]._log._stream", PathOf(new List<Item> { new(), new(), new(), new() { _log = logger } }));
        var item = new Item();
        item.Extra["key"] = new object[] { 1, stream };
        Assert.Equal("value.Extra[key][1]", PathOf(item));
        Action own = logger.Log2;
        Assert.Equal("target._stream", PathOf(own));
    }

    readonly record struct Plain(int X, int Y);

    struct Knot
    {
        public object? Self;
    }

    [Fact]
    public void The_path_is_found_beside_what_cannot_be_looked_into()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        Assert.Equal("value[1][0]", PathOf(new object[] { default(ImmutableArray<int>), new object[] { stream } }));
    }

    [Fact]
    public void Long_arrays_of_plain_numbers_cost_the_search_for_the_path_no_memory()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        object[] plain = [new Plain[1_000_000], new object[] { new object[] { stream } }];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("value[1][0][0]", PathOf(plain));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000_000);
    }

    [Fact]
    public async Task A_box_that_holds_itself_does_not_keep_a_refusal_from_being_heard()
    {
        object knot = new Knot();
        System.Runtime.CompilerServices.Unsafe.Unbox<Knot>(knot).Self = knot;
        var refused = new Dictionary<string, int>(StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.IgnoreNonSpace));   // for its comparer, to which no name leads
        Assert.Equal("value", await Task.Run(() => PathOf(new object[] { knot, refused })).Within());
    }

    [Fact]
    public void Arguments_of_a_call_are_counted()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var items = new[] { new Item(), new Item { _log = new(stream) } };
        var refused = Assert.Throws<CannotTravelException>(() => Connection.Copy(new SyncJob<(int, Item[]), int>(static x => x.Item1, (1, items))));
        Assert.Equal("argument 1 → Item2[1]._log._stream", refused.Path);
        Func<int, int> function = x => x + (int)stream.Length;
        Assert.Equal("closure.stream", PathOf(new SyncJob<int, int>(function, 1)));
        var made = new System.Reflection.Emit.DynamicMethod("Made", typeof(int), []);
        made.GetILGenerator().Emit(System.Reflection.Emit.OpCodes.Ldc_I4_1);
        made.GetILGenerator().Emit(System.Reflection.Emit.OpCodes.Ret);
        Assert.Equal("function", PathOf(new SyncJob<int>(made.CreateDelegate<Func<int>>())));
    }

    sealed class Finalized
    {
        ~Finalized() => GC.KeepAlive(this);
    }

    unsafe struct Pointer
    {
        public int* Address;
    }

    struct Handle
    {
        public nint Value;
    }

    sealed class OwnStream : MemoryStream;

    public static TheoryData<Func<object>> WhatBelongsToItsPlace => new(
        () => new FileStream("/dev/null", FileMode.Open), () => new MemoryStream(), () => new OwnStream(), () => Thread.CurrentThread,
        () => new ReaderWriterLockSlim(), () => new SemaphoreSlim(1), () => new ManualResetEvent(false), () => new CancellationTokenSource(), () => new Timer(_ => { }),
        () => new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp), () => new HttpClient(),
        () => System.Diagnostics.Process.GetCurrentProcess(), () => new TaskCompletionSource<int>().Task, () => Task.FromException(new InvalidOperationException()),
        () => new Microsoft.Win32.SafeHandles.SafeFileHandle(), () => (nint)5, () => new Handle { Value = 1 }, () => new Finalized(), () => new Lazy<int>(() => 1),
        () => typeof(string).GetMethod("Trim", [])!, () => typeof(string).Assembly, () => new WeakReference(new object()), () => GCHandle.Alloc(new object()),
        () => new DynamicMethod("x", typeof(int), []), () => (Func<double, double>)Math.Sqrt, () => AppDomain.CurrentDomain, () => new ThreadLocal<int>(), () => new AsyncLocal<int>(),
        () => Console.Out, () => new StringReader("x"), () => new System.Timers.Timer(), () => Assembly.GetExecutingAssembly().ManifestModule);

    [Theory]
    [MemberData(nameof(WhatBelongsToItsPlace), DisableDiscoveryEnumeration = true)]
    public void What_belongs_to_its_place_is_refused(Func<object> make)
    {
        var value = make();
        try
        {
            var writer = new GraphWriter(new());
            writer.Begin();
            Assert.Throws<CannotTravelException>(() => writer.Write(value));
            writer.Begin();
            var inside = Assert.Throws<CannotTravelException>(() => writer.Write(new object[] { 1, value }));
            Assert.StartsWith("value[1]", inside.Path);
        }
        finally
        {
            if (value is Task or Thread or TextWriter or DynamicMethod)
                GC.KeepAlive(value);
            else
                (value as IDisposable)?.Dispose();
        }
    }

    [Fact]
    public unsafe void Pointers_are_refused() => Assert.Throws<CannotTravelException>(() => Connection.Copy(new Pointer { Address = (int*)5 }));

    [Fact]
    public void Types_made_at_run_time_are_refused()
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new("Made"), AssemblyBuilderAccess.Run);
        var type = assembly.DefineDynamicModule("Made").DefineType("Made", TypeAttributes.Public | TypeAttributes.Class).CreateType();
        Assert.Throws<CannotTravelException>(() => Connection.Copy(Activator.CreateInstance(type)!));
        Assert.Throws<CannotTravelException>(() => Connection.Copy(type));
        var byHand = Assembly.Load(File.ReadAllBytes(typeof(RefusalTests).Assembly.Location));
        var twin = byHand.GetType(typeof(Twin).FullName!)!;
        Assert.Contains("loaded by hand", Assert.Throws<CannotTravelException>(() => Connection.Copy(Activator.CreateInstance(twin)!)).Message);
    }

    public sealed class Twin
    {
        public int Value { get; set; } = 1;
    }

    [Fact]
    public void A_message_that_was_refused_leaves_no_trace_in_the_connection()
    {
        var connection = new Connection();
        using var stream = new FileStream("/dev/null", FileMode.Open);
        Func<int, int> function = static x => x + 1;
        Assert.Throws<CannotTravelException>(() => connection.Send<object>(new object[] { new Twin(), function, stream }));
        var copy = (object[])connection.Send<object>(new object[] { new Twin { Value = 5 }, function });
        Assert.Equal(5, ((Twin)copy[0]).Value);
        Assert.Equal(2, ((Func<int, int>)copy[1])(1));
        connection.Writer.Begin();
        connection.Writer.Write<object>((1, 2L));
        connection.Writer.Abandon();
        Assert.Equal((1, 2L), connection.Send<object>((1, 2L)));
    }

    [Fact]
    public void An_argument_over_the_limit_is_refused_with_its_size_and_the_limit()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var large = GC.AllocateUninitializedArray<byte>(2_000_000_000);
        var refused = Assert.Throws<MessageTooLargeException>(() => Connection.Copy(large));
        Assert.InRange(refused.Size, 2_000_000_000, 2_000_001_000);
        Assert.Contains("2,000,000,", refused.Message);
        Assert.Contains("1,073,741,824", refused.Message);
        large = null;
        var part = GC.AllocateUninitializedArray<byte>(600_000_000);
        Assert.Throws<MessageTooLargeException>(() => Connection.Copy(new List<byte[]> { part, GC.AllocateUninitializedArray<byte>(600_000_000) }));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5_000_000_000);
    }

    [Fact]
    public void A_module_of_another_version_is_refused_by_both_names()
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.Write(new Twin());
        var bytes = writer.Written.ToArray();
        var mvid = typeof(Twin).Module.ModuleVersionId.ToByteArray();
        var at = bytes.AsSpan().IndexOf(mvid);
        bytes[at] ^= 1;
        var reader = new GraphReader(new());
        reader.Begin(bytes, 0, bytes.Length);
        var refused = Assert.Throws<ModuleVersionException>(() => reader.Read<Twin>());
        Assert.Contains(typeof(Twin).Module.ModuleVersionId.ToString(), refused.Here);
        Assert.Contains(new Guid(bytes.AsSpan(at, 16)).ToString(), refused.Sent);
        Assert.Contains(typeof(Twin).Assembly.Location, refused.Sent);
        Assert.Contains(typeof(Twin).Assembly.Location, refused.Here);
    }

    [Fact]
    public void Bytes_left_over_are_an_error()
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.Write("text");
        var bytes = (byte[])[.. writer.Written.Span, 0];
        Assert.Throws<InvalidDataException>(() => GraphCodec.Decode<string>(bytes));
        var reader = new GraphReader(new());
        reader.Begin(bytes, 0, bytes.Length);
        Assert.Equal("text", reader.Read<string>());
        Assert.Throws<InvalidDataException>(reader.End);
    }
}

static class LoggerExtensions
{
    public static void Log2(this object logger) => GC.KeepAlive(logger);
}
