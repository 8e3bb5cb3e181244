// A form that checks itself at the client's side. The function that asks and checks goes to the client's node, with its code, which is not there:
// each mistake is answered there and then. Home comes one process with a form that is right, and not a message for each try.
//
//   dotnet run samples/form-client.cs                   in one terminal
//   dotnet run samples/form.cs                          in another: the client's node does not take the code, and its hash is printed
//   dotnet run samples/form-client.cs -- HASH           now it does: run samples/form.cs again, and fill in the form in the first terminal
//
// What to see: questions and complaints are printed by the client's process, which has none of this code. Office and client exchange a
// thousand bytes or two beside the code, however often you are wrong.

#:project ../src/Skein.Cluster
using System.Globalization;
using System.Runtime.Versioning;
using Skein;

[assembly: SupportedOSPlatform("linux")]

await using var office = await ClusterNode.StartAsync("office");
try
{
    var form = await office.Node.Start(() => Fill("client")).Completion;
    Console.WriteLine($"{form.Name}, born {form.Born:yyyy-MM-dd}, {form.Mail}");
    Console.WriteLine($"{form.Mistakes} mistakes were made and mended at node client, process {form.Process}; this is process {Environment.ProcessId}.");
    return 0;
}
catch (CannotMoveException refused)
{
    Console.WriteLine(refused.Message);
    return 1;
}

static async Mobile<Form> Fill(string client)
{
    var office = Here.Node!;
    await Here.MoveTo(client);                        // with its code
    var form = new Form { Process = Environment.ProcessId };
    form.Name = await Ask(form, "Your name", answer => answer.Trim().Length > 0 ? null : "Nobody has no name.");
    var born = await Ask(form, "Born on (year-month-day)", answer =>
        !DateOnly.TryParseExact(answer, "yyyy-M-d", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? "That is no day of the calendar."
        : day > DateOnly.FromDateTime(TimeProvider.System.GetLocalNow().DateTime) ? "That is still to come." : null);
    form.Born = DateOnly.ParseExact(born, "yyyy-M-d", CultureInfo.InvariantCulture);
    form.Mail = await Ask(form, "Mail", answer => answer.Split('@') is [{ Length: > 0 }, { Length: > 0 }] ? null : "That is no address.");
    await Here.MoveTo(office);
    return form;
}

static async Mobile<string> Ask(Form form, string question, Func<string, string?> whyNot)
{
    while (true)
    {
        Here.Resource<TextWriter>("screen").WriteLine($"{question}?");
        var answer = await Here.Blocking(Here.Resource<TextReader>("keyboard").ReadLine) ?? throw new EndOfStreamException("Nobody answers any more.");
        if (whyNot(answer) is not { } reason)
            return answer;
        Here.Resource<TextWriter>("screen").WriteLine($"  {reason}");
        form.Mistakes++;
    }
}

sealed class Form
{
    public int Process { get; init; }

    public string Name { get; set; } = "";

    public DateOnly Born { get; set; }

    public string Mail { get; set; } = "";

    public int Mistakes { get; set; }
}
