using System.Globalization;

namespace Skein;

/// <summary>The ports of services that have a name: <c>/etc/services</c>.</summary>
static class ServicePort
{
    const string List = "/etc/services";

    // Where the machine has no list: what a super-server serves itself.
    static readonly Dictionary<string, int> Known = new() { ["echo"] = 7, ["discard"] = 9, ["daytime"] = 13, ["chargen"] = 19, ["time"] = 37 };

    /// <exception cref="FormatException">There is no such service.</exception>
    public static int Find(string service, string protocol)
    {
        if (int.TryParse(service, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number is > 0 and <= ushort.MaxValue ? number : throw new FormatException($"{service} is no port: a number from 1 to 65535 is expected.");
        foreach (var line in File.Exists(List) ? File.ReadLines(List) : [])
        {
            // name port/protocol alias…   # comment
            var fields = line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 2 && fields[1].Split('/') is [var port, var of] && of == protocol && (fields[0] == service || fields.AsSpan(2).Contains(service)))
                return int.Parse(port, CultureInfo.InvariantCulture);
        }

        return Known.TryGetValue(service, out var known) ? known : throw new FormatException($"There is no service '{service}' for {protocol} in {List}: its name or the number of a port is expected.");
    }
}
