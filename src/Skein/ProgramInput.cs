namespace Skein;

/// <summary>What a program that was started is to read.</summary>
static class ProgramInput
{
    /// <summary>Copies the source into the program's standard input, which is closed at its end. A program need not read its input to the end: a broken pipe is its right.</summary>
    /// <param name="source">Null: there is nothing to read.</param>
    /// <param name="input">The other end of what the program reads.</param>
    /// <param name="onFailure">The source has failed, while there was somebody to read it.</param>
    /// <param name="ended">The program has ended: the source is left alone, which may have more for others.</param>
    public static async Task FeedAsync(Stream? source, Stream input, Action<Exception> onFailure, CancellationToken ended)
    {
        using (input)
        {
            var buffer = new byte[64 * 1024];
            while (source is not null)
            {
                int length;
                try
                {
                    length = await source.ReadAsync(buffer, ended).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    if (!ended.IsCancellationRequested)
                        onFailure(error);
                    return;
                }

                if (length == 0)
                    return;
                try
                {
                    await input.WriteAsync(buffer.AsMemory(0, length), ended).ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
                {
                    return;   // as said
                }
            }
        }
    }
}
