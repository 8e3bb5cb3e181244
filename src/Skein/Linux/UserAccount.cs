using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A user of the machine, as whom a program can run.</summary>
/// <param name="Groups">All the groups it belongs to, the first included.</param>
[SupportedOSPlatform("linux")]
sealed unsafe partial record UserAccount(string Name, int Id, int Group, IReadOnlyList<int> Groups, string Home, string Shell)
{
    const int BufferSize = 64 * 1024, MaxGroups = 1024;

    /// <summary>Whether this process runs as root.</summary>
    public static bool IsRoot => EffectiveUser() == 0;

    /// <summary>Whether this process runs as this user already.</summary>
    public bool IsOurs => EffectiveUser() == Id;

    /// <summary>The account with this name; null where there is none.</summary>
    /// <param name="group">The name of its first group, instead of what the account says.</param>
    /// <exception cref="KeyNotFoundException">There is no such group.</exception>
    public static UserAccount? Find(string name, string? group = null)
    {
        var buffer = new byte[BufferSize];
        fixed (byte* bytes = buffer)
        {
            Account account;
            Account* found;
            if (FindUser(name, &account, bytes, BufferSize, &found) != 0 || found is null)
                return null;
            var first = group is null ? account.Group : FindGroup(group) ?? throw new KeyNotFoundException($"There is no group '{group}'.");
            var groups = stackalloc int[MaxGroups];
            var count = MaxGroups;
            var all = ListGroups(name, first, groups, &count) < 0 ? [first] : new ReadOnlySpan<int>(groups, count).ToArray();
            return new(name, account.User, first, all, Text(account.Home), Text(account.Shell));
        }
    }

    static int? FindGroup(string name)
    {
        var buffer = new byte[BufferSize];
        fixed (byte* bytes = buffer)
        {
            GroupEntry group;
            GroupEntry* found;
            return FindGroup(name, &group, bytes, BufferSize, &found) == 0 && found is not null ? group.Id : null;
        }
    }

    static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>struct passwd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Account
    {
        public byte* Name, Password;
        public int User, Group;
        public byte* Comment, Home, Shell;
    }

    /// <summary>struct group.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct GroupEntry
    {
        public byte* Name, Password;
        public int Id;
        public byte** Members;
    }

    /// <summary>As whom this process runs.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")] public static partial int EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FindUser(string name, Account* account, byte* buffer, nuint size, Account** found);

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FindGroup(string name, GroupEntry* group, byte* buffer, nuint size, GroupEntry** found);

    [LibraryImport("libc", EntryPoint = "getgrouplist", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ListGroups(string user, int group, int* groups, int* count);
}
