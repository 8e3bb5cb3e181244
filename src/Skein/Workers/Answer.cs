using System.Buffers;
using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>The answer to a callback, as bytes: a result or a fault.</summary>
static class Answer
{
    public static byte[] Of<T>(T result) => Encode(new Content<T> { Result = result });

    public static byte[] Of(Exception error) => Encode(new Content<object> { Fault = FaultRecord.Of(error) }, failed: 1);

    public static T Read<T>(byte[] answer)
    {
        if (answer[0] == 0)
            return GraphCodec.Decode<Content<T>>(answer.AsMemory(1)).Result!;
        ExceptionDispatchInfo.Throw(GraphCodec.Decode<Content<object>>(answer.AsMemory(1)).Fault!.ToException());
        return default!;
    }

    static byte[] Encode<T>(Content<T> content, byte failed = 0)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write([failed]);
        GraphCodec.Encode(content, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    sealed class Content<T>
    {
        public T? Result;
        public FaultRecord? Fault;
    }
}
