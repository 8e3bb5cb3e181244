using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Skein.Cli;

/// <summary>What a function's result looks like on standard output: text as it is, anything else as one line of JSON.</summary>
static class ResultText
{
    static readonly JsonSerializerOptions Json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
        IncludeFields = true, // tuples have nothing else
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(), // also where the application has switched reflection off for itself
        ReferenceHandler = ReferenceHandler.IgnoreCycles,
    };

    /// <summary>With a line feed at its end; nothing for a function without a result and for a text that is null.</summary>
    public static void Append(OutputBuffer output, object? result, Type type)
    {
        if (type == typeof(void) || (result is null && type == typeof(string)))
            return;
        var bytes = result is string text ? Encoding.UTF8.GetBytes(text) : JsonSerializer.SerializeToUtf8Bytes(result, result?.GetType() ?? type, Json);
        output.Append(bytes);
        if (bytes is not [.., (byte)'\n'])
            output.Append("\n"u8);
    }
}
