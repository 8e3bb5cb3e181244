using System.Text;
using System.Text.Json;

namespace Skein.Tests.Cli;

/// <summary><c>--json</c>: one object a line for each job and a last one that sums up, on standard output; nothing else there.</summary>
public sealed class MapJsonTests
{
    [Fact]
    public async Task Each_job_is_an_object_and_the_last_line_sums_up()
    {
        var ended = await SkeinCommand.RunAsync("map", "--json", "--keep-going", "--retry", "1", "--", "sh", "-c", "echo \"out $0\"; echo err >&2; exit $0", ":::", "0", "3");
        var lines = ended.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(3, lines.Count);
        Assert.Equal((1, "0", "out 0\n", "err\n", "exited", 0, 1), Fields(lines[0]));
        Assert.Equal((2, "3", "out 3\n", "err\n", "exited", 3, 2), Fields(lines[1]));
        Assert.InRange(lines[0].GetProperty("seconds").GetDouble(), 0.0001, 20);
        var summary = lines[2].GetProperty("summary");
        Assert.Equal((2, 1, 1, 0, 1), (Number(summary, "jobs"), Number(summary, "succeeded"), Number(summary, "failed"), Number(summary, "skipped"), Number(summary, "exitCode")));
        Assert.Equal(1, ended.Code);
    }

    [Fact]
    public async Task Output_that_is_not_text_comes_in_base_64()
    {
        var ended = await SkeinCommand.RunAsync("map", "--json", "--", "printf", ":::", "\\377\\000");
        var job = JsonDocument.Parse(ended.Lines[0]).RootElement;
        Assert.Equal([0xff, 0], job.GetProperty("outputBase64").GetBytesFromBase64());
        Assert.False(job.TryGetProperty("output", out _));
    }

    [Theory]
    [InlineData(3_000_000)]
    [InlineData(2_999_999)]   // its last character is cut off
    public async Task A_long_output_is_text_though_it_is_written_in_pieces_and_base_64_when_its_last_character_is_cut(int length)
    {
        // A character has three bytes, a piece 65,536.
        var bytes = Encoding.UTF8.GetBytes(new string('€', 1_000_000));
        var ended = await SkeinCommand.RunAsync("map", "--json", "--", "sh", "-c", $"yes € | tr -d '\\n' | head -c {length}", ":::", "a");
        var job = JsonDocument.Parse(ended.Lines[0]).RootElement;
        var isText = job.TryGetProperty("output", out var text);
        Assert.Equal(length == bytes.Length, isText);
        var read = isText ? Encoding.UTF8.GetBytes(text.GetString()!) : job.GetProperty("outputBase64").GetBytesFromBase64();
        Assert.True(read.AsSpan().SequenceEqual(bytes.AsSpan(0, length)));
    }

    [Fact]
    public async Task Output_of_any_length_is_written_whole()
    {
        Assert.SkipUnless(Limits.Long, "140 MB take their time: ./check --long");
        const string Count = "import json, sys; text = json.loads(sys.stdin.readline())['output']; print(len(text), len(text.strip('x')))";
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c",
            $"dotnet {SkeinCommand.Dll} map --json -- sh -c 'head -c 140000000 /dev/zero | tr \"\\0\" x' ::: a | python3 -c \"{Count}\"");
        Assert.Equal(("140000000 0\n", ""), (ended.Output, ended.Error));
    }

    [Fact]
    public async Task Run_says_at_its_end_on_standard_error_what_it_was()
    {
        var ended = await SkeinCommand.RunAsync("run", "--json", "--memory", "100M", "--", "sh", "-c", "echo out; exit 7");
        Assert.Equal((7, "out\n"), (ended.Code, ended.Output));
        var end = JsonDocument.Parse(ended.Error).RootElement;
        Assert.Equal(7, Number(end, "exitCode"));
        Assert.Equal("exited", end.GetProperty("cause").GetString());
        Assert.Contains(end.GetProperty("memoryLimit").GetString(), (string[])["controlGroup", "watch"]);
    }

    static (int, string?, string?, string?, string?, int, int) Fields(JsonElement job) => (
        Number(job, "job"), job.GetProperty("input").GetString(), job.GetProperty("output").GetString(), job.GetProperty("error").GetString(),
        job.GetProperty("cause").GetString(), Number(job, "exitCode"), Number(job, "tries"));

    static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();
}
