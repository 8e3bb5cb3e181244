// The client's side of samples/form.cs: a terminal with a node, which knows no form and no rule. It lends its keyboard and screen to what comes, and
// takes only code whose SHA-256 it was given.
//
//   dotnet run samples/form-client.cs -- HASH           takes this code; without a hash, nobody's. Ends by Ctrl+C

#:project ../src/Skein.Cluster
using System.Runtime.Versioning;
using Skein;

[assembly: SupportedOSPlatform("linux")]

await using var client = await ClusterNode.StartAsync("client", new() { Code = CodePolicy.Listed(args) });
client.Node.Provide("keyboard", Console.In);
client.Node.Provide("screen", Console.Out);
Console.WriteLine($"This is node client, process {Environment.ProcessId}. It waits for a form.");
await Task.Delay(Timeout.InfiniteTimeSpan);
