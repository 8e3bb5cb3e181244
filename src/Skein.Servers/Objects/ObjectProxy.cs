using System.Reflection;

namespace Skein;

/// <summary>The stand-in for an object elsewhere: each call of its interface becomes a call of a client.</summary>
class ObjectProxy : DispatchProxy
{
    ObjectClient _client = null!;
    ObjectInterface _interface = null!;
    string _name = "";

    public static T Create<T>(ObjectClient client, ObjectInterface described, string name)
        where T : class
    {
        var stub = Create<T, ObjectProxy>();
        var proxy = (ObjectProxy)(object)stub;
        (proxy._client, proxy._interface, proxy._name) = (client, described, name);
        return stub;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _client.Call(_interface, _interface.NumberOf(targetMethod!), _name, args ?? []);
}
