using System.Reflection;

namespace Skein;

/// <summary>A method of an interface: how its arguments and its result go over the wire, and how it is called.</summary>
sealed class ObjectMethod
{
    readonly ValueWire?[] _parameters;   // null: the token, which stays where it is
    readonly MethodInvoker _invoker;
    readonly int _token = -1;

    /// <exception cref="ArgumentException">It cannot be called from elsewhere.</exception>
    public ObjectMethod(MethodInfo method)
    {
        Method = method;
        Signature = $"{method.DeclaringType!.FullName}: {method}";
        if (method.IsGenericMethod)
            throw new ArgumentException($"{Signature} is generic; a method that is called from elsewhere cannot be.");
        if (method.IsSpecialName && method.DeclaringType.GetEvents().Any(one => one.AddMethod == method || one.RemoveMethod == method))
            throw new ArgumentException($"{Signature} is of an event, whose handlers would be copied to the server and run there; let its clients ask instead.");
        var parameters = method.GetParameters();
        _parameters = new ValueWire?[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            var type = parameters[i].ParameterType;
            if (type == typeof(CancellationToken) && _token < 0)
                _token = i;
            else
                _parameters[i] = ValueWire.Of(type, $"{Signature}: parameter {parameters[i].Name}");
        }

        Returns = ReturnShape.Of(method.ReturnType, Signature);
        _invoker = MethodInvoker.Create(method);
    }

    public MethodInfo Method { get; }

    /// <summary>By this the two sides know it.</summary>
    public string Signature { get; }

    public ReturnShape Returns { get; }

    public CancellationToken TokenIn(object?[] arguments) => _token < 0 ? default : (CancellationToken)arguments[_token]!;

    /// <exception cref="CannotTravelException">An argument belongs to this process.</exception>
    public void WriteArguments(GraphWriter writer, object?[] arguments)
    {
        for (var i = 0; i < _parameters.Length; i++)
        {
            try
            {
                _parameters[i]?.Write(writer, arguments[i]);
            }
            catch (CannotTravelException refused)
            {
                throw new CannotTravelException($"{Method.Name}: argument {i + 1} → {refused.Path}", refused.Type, refused.Message[(refused.Path.Length + 2)..]);
            }
        }
    }

    /// <exception cref="InvalidDataException">They are not what this method takes.</exception>
    /// <exception cref="ModuleVersionException">They are of another build of the application.</exception>
    public object?[] ReadArguments(GraphReader reader)
    {
        var arguments = new object?[_parameters.Length];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = _parameters[i]?.Read(reader);
        return arguments;
    }

    public ValueTask<object?> InvokeAsync(object target, object?[] arguments, CancellationToken cancellation)
    {
        if (_token >= 0)
            arguments[_token] = cancellation;
        return Returns.AwaitAsync(_invoker.Invoke(target, arguments.AsSpan()));
    }
}
