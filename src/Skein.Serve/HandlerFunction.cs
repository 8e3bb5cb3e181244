using System.Reflection;
using Microsoft.AspNetCore.Connections;

namespace Skein.Serve;

/// <summary>Finds the function of the application that a service names as its handler: <c>Type.Method</c>, or a static local function at the top level of a file.</summary>
static class HandlerFunction
{
    const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    const string LocalPrefix = "<<Main>$>g__";   // what the compiler calls a local function of top-level statements

    /// <exception cref="FormatException">There is no such function, or it is no handler.</exception>
    public static Func<ConnectionContext, Task> Find(Assembly application, string name)
    {
        if (application == typeof(HandlerFunction).Assembly)
            throw new FormatException($"handler: '{name}' is a function of an application; application: FILE.cs|APP.dll is expected beside services:.");
        var dot = name.LastIndexOf('.');
        var found = application.GetTypes()
            .Where(type => dot < 0 || type.Name == name[..dot] || type.FullName?.Replace('+', '.') == name[..dot])
            .SelectMany(type => type.GetMethods(Static))
            .Where(method => dot < 0 ? method.Name.StartsWith($"{LocalPrefix}{name}|", StringComparison.Ordinal) : method.Name == name[(dot + 1)..])
            .ToList();
        if (found is not [var function])
            throw new FormatException($"handler: {application.GetName().Name} has {(found.Count == 0 ? "no" : "several")} static functions '{name}'; Type.Method is expected, or a static local function of its top level.");
        return function.ReturnType == typeof(Task) && function.GetParameters() is [{ ParameterType: var parameter }] && parameter == typeof(ConnectionContext)
            ? function.CreateDelegate<Func<ConnectionContext, Task>>()
            : throw new FormatException($"handler: '{name}' is no handler: static Task {function.Name.Split('|')[0].Replace(LocalPrefix, "", StringComparison.Ordinal)}(ConnectionContext connection) is expected.");
    }
}
