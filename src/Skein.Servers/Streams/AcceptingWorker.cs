using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>The task of a worker of a prefork server: it accepts and serves until it is told to stop.</summary>
[SupportedOSPlatform("linux")]
static class AcceptingWorker
{
    const int PartLength = 32 * 1024;

    public static async Task<StreamCounts> ServeAsync(AcceptingAssignment assignment)
    {
        var stopped = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        var serving = new LocalServing(
            assignment.Server, new FileHandleEndPoint((ulong)assignment.Socket!.Number, FileHandleType.Tcp), connection => assignment.Handler(connection), ServerModel.EventLoop,
            assignment.OptionsHere(), firstNumber: assignment.Number * AcceptingAssignment.NumbersEach, cancelElsewhere: key => CancelElsewhere(assignment, key));
        var link = new DescriptorSocket(assignment.Link!.Number);
        new Thread(() => Answer(link, serving, stopped)) { IsBackground = true, Name = "skein-questions" }.Start();
        await assignment.Ready!.InvokeAsync(assignment.Number).ConfigureAwait(false);
        await serving.StopAsync(await stopped.Task.ConfigureAwait(false)).ConfigureAwait(false);
        return serving.Counts;
    }

    // The connection may be another worker's. Whoever asks keeps the thread as long: a cancel is rare, and soon answered.
    static bool CancelElsewhere(AcceptingAssignment assignment, CancelKey key)
    {
        if (key.Number / AcceptingAssignment.NumbersEach == assignment.Number)
            return false;
        var asked = assignment.Cancel!.InvokeAsync(key.ToString()).AsTask();
        return ((IAsyncResult)asked).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(2)) && asked is { IsCompletedSuccessfully: true } && asked.GetAwaiter().GetResult();
    }

    /// <summary>Until the other end is closed, also while what runs here ends.</summary>
    static void Answer(DescriptorSocket link, LocalServing serving, TaskCompletionSource<TimeSpan> stopped)
    {
        using var closed = link;
        var buffer = new byte[DescriptorSocket.MaxMessage];
        try
        {
            while (link.Receive(buffer, out _) is > 0 and var length)
            {
                var (number, words) = Encoding.UTF8.GetString(buffer, 0, length).Split(' ') is [var first, .. var others] ? (first, others) : default;
                Send(link, number, words switch
                {
                    [AcceptingLink.AskTable] => string.Join('\n', serving.Connections.Select(ConnectionRow.Write)),
                    [AcceptingLink.AskCounts] => string.Create(CultureInfo.InvariantCulture, $"{serving.Counts.Accepted} {serving.Counts.Refused} {serving.Counts.Failed}"),
                    [AcceptingLink.AskCancel, var key] => $"{CancelKey.TryParse(key, out var known) && serving.TryCancelHere(known)}",
                    [AcceptingLink.AskStop, var grace] => $"{stopped.TrySetResult(TimeSpan.FromMilliseconds(double.Parse(grace, CultureInfo.InvariantCulture)))}",
                    _ => "",
                });
            }
        }
        catch (IOException)
        {
            // The server is gone.
        }

        stopped.TrySetResult(TimeSpan.Zero);
    }

    static void Send(DescriptorSocket link, string number, string answer)
    {
        for (var at = 0; ; at += PartLength / 4)
        {
            var part = answer.AsSpan(at, Math.Min(PartLength / 4, answer.Length - at));   // a character has four bytes at most
            var isLast = at + part.Length == answer.Length;
            link.Send(Encoding.UTF8.GetBytes($"{number}{(isLast ? AcceptingLink.Last : AcceptingLink.More)}{part}"));
            if (isLast)
                return;
        }
    }
}

/// <summary>What a worker of a prefork server says to whoever has started it.</summary>
sealed record WorkerWarning(int Worker, int Level, string Text);
