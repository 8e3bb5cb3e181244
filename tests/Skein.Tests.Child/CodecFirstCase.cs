using System.Buffers;

namespace Skein.Tests.Child;

/// <summary>A program that uses the codec alone before it uses a place.</summary>
static class CodecFirstCase
{
    public static async Task<int> Run()
    {
        using var source = new CancellationTokenSource();
        try
        {
            GraphCodec.Encode(source.Token, new ArrayBufferWriter<byte>());
            return 1;
        }
        catch (CannotTravelException)
        {
            // Without a connection there is nobody to hear of its cancellation.
        }

        await using var process = await Place.OsProcess.StartAsync(static token => token.CanBeCanceled, source.Token);
        return await process.Completion ? 0 : 2;
    }
}
