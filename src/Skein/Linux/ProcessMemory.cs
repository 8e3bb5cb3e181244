using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>What a process has of physical memory at this moment.</summary>
[SupportedOSPlatform("linux")]
static class ProcessMemory
{
    /// <summary>Resident bytes, shared ones included (proc_pid_statm(5)); 0 when there is no such process any more.</summary>
    public static long Resident(int process)
    {
        try
        {
            var pages = File.ReadAllText($"/proc/{process}/statm").Split(' ')[1];
            return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (Exception error) when (error is IOException or IndexOutOfRangeException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
