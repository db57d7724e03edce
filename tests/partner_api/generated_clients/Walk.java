import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.ConsentsApi;
import org.openapitools.client.api.DocumentsApi;
import org.openapitools.client.api.SandboxApi;
import org.openapitools.client.api.TokensApi;

/** Walks the scenario with the Java client that openapi-generator made; its files are untouched. */
class Walk {
  static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();
  static final List<Class<?>> APIS =
      List.of(ConsentsApi.class, DocumentsApi.class, SandboxApi.class, TokensApi.class);

  public static void main(String[] args) throws Exception {
    var values = new HashMap<String, String>();
    JSON.readTree(new File(args[1])).fields()
        .forEachRemaining(one -> values.put(one.getKey(), one.getValue().asText()));
    for (JsonNode raw : JSON.readTree(new File(args[0]))) {
      var text = Pattern.compile("\\$([A-Za-z]+)").matcher(raw.toString())
          .replaceAll(found -> Matcher.quoteReplacement(values.get(found.group(1))));
      var step = JSON.readTree(text);
      var line = JSON.createObjectNode();
      try {
        var answer = call(step, values.get("portal"));
        step.path("keep").fields().forEachRemaining(
            one -> values.put(one.getKey(), answer.at(one.getValue().asText()).asText()));
        line.set("answer", answer);
      } catch (InvocationTargetException wrapped) {
        if (!(wrapped.getCause() instanceof ApiException error)) throw wrapped;
        if (error.getResponseBody() == null) throw wrapped;
        var body = JSON.readTree(error.getResponseBody());
        var code = body.has("error") ? body.get("error") : body.at("/errors/0/code");
        line.putArray("refused").add(error.getCode()).add(code.asText());
      }
      System.out.println(JSON.writeValueAsString(line));
    }
  }

  static JsonNode call(JsonNode step, String portal) throws Exception {
    var client = new ApiClient();
    client.updateBaseUri(step.path("at").asText(portal));
    var authorization = step.has("token") ? "Bearer " + step.get("token").asText()
        : "Basic " + Base64.getEncoder().encodeToString(
            (step.at("/basic/0").asText() + ":" + step.at("/basic/1").asText()).getBytes());
    client.setRequestInterceptor(request -> request.header("Authorization", authorization));
    for (Class<?> api : APIS) {
      for (Method method : api.getMethods()) {
        boolean plain = Arrays.stream(method.getParameterTypes()).noneMatch(Map.class::equals);
        if (!method.getName().equals(step.get("call").asText()) || !plain) continue;
        var made = api.getConstructor(ApiClient.class).newInstance(client);
        var answer = method.invoke(made, arguments(method, step));
        if (!(answer instanceof File file)) return JSON.valueToTree(answer);
        var begins = new String(Files.readAllBytes(file.toPath()), StandardCharsets.ISO_8859_1);
        return JSON.createObjectNode().put("begins", begins.substring(0, 4));
      }
    }
    throw new IllegalStateException("no call " + step.get("call"));
  }

  /** Parameters by their names, which stand in the classes by `javac -parameters`. */
  static Object[] arguments(Method method, JsonNode step) throws Exception {
    var given = new HashMap<String, JsonNode>();
    step.path("parameters").fields().forEachRemaining(
        one -> given.put(one.getKey().replaceAll("[-_]", "").toLowerCase(), one.getValue()));
    var all = new Object[method.getParameterCount()];
    for (int place = 0; place < all.length; place++) {
      var parameter = method.getParameters()[place];
      boolean isBody = parameter.getType().getName().contains(".model.");
      var value = isBody ? step.get("body") : given.get(parameter.getName().toLowerCase());
      all[place] = value == null ? null : JSON.treeToValue(value, parameter.getType());
    }
    return all;
  }
}
