using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SystemCallTableTests
{
    [Fact]
    public async Task The_machine_code_is_what_its_source_assembles_to()
    {
        if (!File.Exists("/usr/bin/as") || !File.Exists("/usr/bin/objcopy"))
            Assert.Skip("needs the assembler (Debian package binutils)");
        var source = Path.Combine(Root(), "src/Skein/Linux/SystemCallTable.x64.s");
        var folder = Directory.CreateTempSubdirectory("skein-test-");
        try
        {
            var (assembled, bytes) = (Path.Combine(folder.FullName, "t.o"), Path.Combine(folder.FullName, "t.bin"));
            await Tool("/usr/bin/as", source, "-o", assembled);
            await Tool("/usr/bin/objcopy", "-O", "binary", "-j", ".text", assembled, bytes);
            Assert.Equal(Convert.ToHexString(await File.ReadAllBytesAsync(bytes, TestContext.Current.CancellationToken)), Convert.ToHexString(SystemCallTable.Code));
        }
        finally
        {
            folder.Delete(true);
        }
    }

    static async Task Tool(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(0, process.ExitCode);
    }

    static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));
}
