using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>Headers as names and values in turn: what travels with the least effort.</summary>
static class HeaderList
{
    public static string[] Of(IHeaderDictionary headers)
    {
        var count = 0;
        foreach (var (_, values) in headers)
            count += values.Count;
        var list = new string[2 * count];
        var at = 0;
        foreach (var (name, values) in headers)
        {
            for (var i = 0; i < values.Count; i++)
                (list[at++], list[at++]) = (name, values[i] ?? "");
        }

        return list;
    }

    /// <summary>Puts the headers of a list in place of those of the same name.</summary>
    public static void Set(IHeaderDictionary headers, string[] list)
    {
        for (var at = 0; at < list.Length; at += 2)
        {
            if (!IsNamedBefore(list, list[at], at))
                headers[list[at]] = list[at + 1];
            else
                headers.Append(list[at], list[at + 1]);
        }
    }

    static bool IsNamedBefore(string[] list, string name, int before)
    {
        for (var at = 0; at < before; at += 2)
        {
            if (list[at].Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
