using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein.Cli;

/// <summary>Finds the function that <c>--function</c> names: a local function at the top level of a file, or <c>Type.Method</c>.</summary>
static class FunctionName
{
    const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // What the compiler calls a local function of top-level statements: <<Main>$>g__Render|0_0
    const string LocalPrefix = "<<Main>$>g__";

    public static MethodInfo Find(Assembly application, string name)
    {
        var dot = name.LastIndexOf('.');
        var found = dot < 0 ? Locals(application).Where(method => SourceName(method) == name).ToList() : Methods(application, name[..dot], name[(dot + 1)..]);
        var file = application.GetName().Name;
        return found switch
        {
            [] => throw CommandFailure.Usage($"--function: {file} has no function '{name}'.{Offer(application)}"),
            [var method] => Check(method, name),
            _ => throw CommandFailure.Usage($"--function: {file} has {found.Count} functions '{name}'; give the one to call a name of its own."),
        };
    }

    static MethodInfo Check(MethodInfo method, string name)
    {
        if (method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef && parameter.ParameterType.GetElementType()!.IsDefined(typeof(CompilerGeneratedAttribute)))
            || !method.IsStatic)
        {
            throw CommandFailure.Usage($"--function: {name} uses variables of the file's top level, which no worker has. Declare it static: the compiler then names them.");
        }

        return method.ContainsGenericParameters
            ? throw CommandFailure.Usage($"--function: {name} is generic; which types it is to be called with cannot be said here.")
            : method;
    }

    static IEnumerable<MethodInfo> Locals(Assembly application) =>
        application.EntryPoint?.DeclaringType is { } program
            ? program.GetMethods(Static | BindingFlags.Instance)
                .Concat(program.GetNestedTypes(BindingFlags.NonPublic).Where(type => type.Name.StartsWith("<>c", StringComparison.Ordinal)).SelectMany(type => type.GetMethods(Static | BindingFlags.Instance)))
                .Where(method => method.Name.StartsWith(LocalPrefix, StringComparison.Ordinal))
            : [];

    static List<MethodInfo> Methods(Assembly application, string type, string method) =>
    [
        .. application.GetTypes()
            .Where(candidate => candidate.Name == type || candidate.FullName?.Replace('+', '.') == type)
            .SelectMany(candidate => candidate.GetMethods(Static))
            .Where(candidate => candidate.Name == method),
    ];

    static string SourceName(MethodInfo local) => local.Name[LocalPrefix.Length..local.Name.IndexOf('|')];

    static string Offer(Assembly application)
    {
        var locals = string.Join(", ", Locals(application).Select(SourceName).Distinct().Order(StringComparer.Ordinal));
        return locals.Length > 0 ? $" At its top level it has: {locals}. A method of a type is named Type.Method." : " A method of a type is named Type.Method.";
    }
}
