namespace Skein;

/// <summary>
/// A function of this build that goes on with calls of one that has changed, or is not there any more, when processes are upgraded in the
/// middle of it. It stands in the class of that function, is static, and returns the same.
/// <code>
/// // was: static async Mobile&lt;Receipt&gt; Pay(Order order) { var tries = 0; …; var paid = await Here.Receive&lt;Paid&gt;(); … }
/// [Migrates("Pay", 1)]
/// static async Mobile&lt;Receipt&gt; PayAsBefore(Mobile&lt;Paid&gt; awaited, Order order, int tries) =&gt; Book(order, await awaited, tries);
/// </code>
/// Its first parameter is what the old call waits for; it may wait for it or not. The others are locals and parameters of the old function by
/// their names (<c>@this</c> too), of the same types. Whoever waits for the old call gets the result of this one.
/// </summary>
/// <remarks>
/// It is called before the process is in this build. If it throws before it waits for the first time, the process goes on where it was; what
/// it did outside until then remains. Later its exceptions are those of the call.
/// </remarks>
/// <param name="function">The name of the function in the build that the process comes from; of a local function its own.</param>
/// <param name="await">At which of its waits the call is: the first <c>await</c> in the source is 1.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class MigratesAttribute(string function, int @await) : Attribute
{
    /// <summary>The name of the function in the build that the process comes from.</summary>
    public string Function { get; } = function;

    /// <summary>At which of its waits the call is, from 1.</summary>
    public int Await { get; } = @await;

    /// <summary>The version of the module (<c>2.0.0.0</c>) that the process comes from; null: whichever.</summary>
    public string? From { get; set; }
}
