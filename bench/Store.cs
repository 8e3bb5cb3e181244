using System.Text.Json;
using System.Text.Json.Serialization;

namespace Skein.Bench;

/// <summary>
/// The last full run of every experiment, kept beside the program (results.json), so that running one experiment again renews its
/// part of RESULTS.md and of the README and leaves the others'.
/// </summary>
static class Store
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string ToJson(IReadOnlyList<Result> results) => JsonSerializer.Serialize(results, Options) + "\n";

    /// <summary>Replaces what these experiments said before; the order is the program's.</summary>
    public static async Task KeepAsync(IReadOnlyList<Result> fresh, IReadOnlyList<string> order)
    {
        var file = Path.Combine(Peers.Folder, "results.json");
        var kept = File.Exists(file) ? JsonSerializer.Deserialize<List<Result>>(await File.ReadAllTextAsync(file), Options)! : [];
        kept.RemoveAll(old => !order.Contains(old.Name) || fresh.Any(result => result.Name == old.Name));
        var all = kept.Concat(fresh).OrderBy(result => order.ToList().IndexOf(result.Name)).ToList();
        await File.WriteAllTextAsync(file, ToJson(all));
        await File.WriteAllTextAsync(Path.Combine(Peers.Folder, "RESULTS.md"), Report.Page(all));
        var readme = Path.Combine(Peers.Folder, "../README.md");
        if (File.Exists(readme))
            await File.WriteAllTextAsync(readme, Report.Insert(await File.ReadAllTextAsync(readme), all, Experiments.Catalog.Headlines));
    }
}
