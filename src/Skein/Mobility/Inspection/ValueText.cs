using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Skein;

/// <summary>A value as whoever looks at a process sees it. Nothing of the application's own runs for that, not even <c>ToString</c>.</summary>
static class ValueText
{
    const int Deepest = 2, MostMembers = 8, LongestText = 80;

    public static string Of(object? value)
    {
        var text = new StringBuilder();
        Append(text, value, 0);
        return text.ToString();
    }

    static void Append(StringBuilder text, object? value, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case string words:
                text.Append('"').Append(Cut(words)).Append('"');
                break;
            case char letter:
                text.Append('\'').Append(letter).Append('\'');
                break;
            case bool:
                text.Append(value is true ? "true" : "false");
                break;
            case Enum:
                text.Append(value);
                break;
            case DateTime or DateTimeOffset:
                text.Append(((IFormattable)value).ToString("O", CultureInfo.InvariantCulture));
                break;
            case IFormattable number when TypePolicy.IsFramework(value.GetType().Assembly):
                text.Append(Cut(number.ToString(null, CultureInfo.InvariantCulture)));
                break;
            case Delegate function:
                text.Append("function ").Append(SourceNames.Of(function.Method.DeclaringType!)).Append('.').Append(SourceNames.OfField(function.Method.Name) ?? "lambda");
                break;
            case ICollection all when TypePolicy.IsFramework(value.GetType().Assembly) && (all is Array || value.GetType().IsGenericType):
                AppendAll(text, all, depth);
                break;
            default:
                AppendMembers(text, value, depth);
                break;
        }
    }

    static void AppendAll(StringBuilder text, ICollection all, int depth)
    {
        var name = SourceNames.Of(all.GetType());
        text.Append(name.EndsWith("[]", StringComparison.Ordinal) ? name[..^2] : name).Append('[').Append(all.Count).Append(']');
        if (depth == Deepest || all.Count == 0)
            return;
        text.Append(" { ");
        var shown = 0;
        foreach (var one in all)
        {
            if (shown > 0)
                text.Append(", ");
            if (shown++ == MostMembers)
            {
                text.Append('…');
                break;
            }
            Append(text, one, depth + 1);
        }
        text.Append(" }");
    }

    static void AppendMembers(StringBuilder text, object value, int depth)
    {
        var type = value.GetType();
        text.Append(SourceNames.Of(type));
        if (depth == Deepest || (TypePolicy.IsFramework(type.Assembly) && !type.IsGenericType) || type.Assembly == typeof(ValueText).Assembly)
            return;
        text.Append(" { ");
        var shown = 0;
        for (var part = type; part is not null && part != typeof(object) && part != typeof(ValueType); part = part.BaseType)
        {
            foreach (var field in part.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (SourceNames.OfField(field.Name) is not { } name || shown > MostMembers)
                    continue;
                if (shown > 0)
                    text.Append(", ");
                if (shown++ == MostMembers)
                    text.Append('…');
                else
                    Append(text.Append(name).Append(" = "), field.FieldType.IsPointer || field.FieldType.IsByRefLike ? null : field.GetValue(value), depth + 1);
            }
        }
        text.Append(shown == 0 ? "}" : " }");
    }

    static string Cut(string text) => text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText), "…");
}
