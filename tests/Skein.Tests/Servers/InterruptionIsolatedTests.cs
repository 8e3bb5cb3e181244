using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Skein.Tests.Servers;

/// <summary>A handler in a process of its own is interrupted like any other, and killed when it does not listen.</summary>
public class InterruptionIsolatedTests
{
    [Theory]
    [InlineData("eventloop")]
    [InlineData("threads")]
    public async Task An_isolated_handler_hears_a_cancel_and_urgent_data_and_is_killed_when_it_does_not_listen(string model)
    {
        Assert.SkipUnless(Limits.Long || model == "eventloop", "a program and its workers are started for it: ./check --long");
        foreach (var (path, note, grace) in new[] { ("wait", "waiting", Limits.Seconds(1).TotalSeconds), ("spin", "spinning", 0.2) })
        {
            await using var program = await WebProgram.StartAsync("--model", model, "--grace", grace.ToString(CultureInfo.InvariantCulture));
            var id = RandomNumberGenerator.GetHexString(32);
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/isolated/{path}") { Headers = { { "Skein-Request-Id", id } } };
            var answer = program.Client.SendAsync(request);
            var process = await program.NoteAsync(note);
            using (var cancelled = await program.Client.PostAsync($"/_skein/cancel/{id}", null).Within())
                Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
            Assert.Equal(499, (int)(await answer.Within(20)).StatusCode);
            Assert.Equal(path == "wait", WebProgram.Lives(process));

            using var socket = await program.ConnectAsync($"GET /isolated/{path} HTTP/1.1\r\nHost: x\r\n\r\n");
            process = await program.NoteAsync(note);
            await socket.SendAsync(new byte[] { 33 }, SocketFlags.OutOfBand).Within();
            var buffer = new byte[4096];
            Assert.StartsWith("HTTP/1.1 499 ", Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer).Within()), StringComparison.Ordinal);
            Assert.Equal(path == "wait", WebProgram.Lives(process));
            Assert.Equal("hello", await program.GetAsync("/isolated/hello"));
        }
    }
}
